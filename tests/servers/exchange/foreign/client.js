// A port of Microsoft's Managed API, by others, at work in one mailbox.
// One JSON object comes on standard input, one goes out: what this client saw.
"use strict";
const ews = require("ews-javascript-api");

const read = () => JSON.parse(require("fs").readFileSync(0, "utf8"));
const utc = (text) => new ews.DateTime(Date.parse(text));
const iso = (moment) => new Date(moment.TotalMilliSeconds).toISOString().replace(".000", "");

function open(asked) {
  const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2013_SP1, ews.TimeZoneInfo.Utc);
  service.Url = new ews.Uri(asked.url);
  service.Credentials = new ews.WebCredentials(asked.user, asked.password);
  service.ImpersonatedUserId = new ews.ImpersonatedUserId(ews.ConnectingIdType.SmtpAddress, asked.mailbox);
  return service;
}

async function create(service, asked) {
  const item = new ews.Appointment(service);
  item.Subject = asked.subject;
  item.Body = new ews.TextBody("Hej");
  item.Start = utc(asked.start);
  item.End = utc(asked.end);
  item.Location = "Lokale";
  item.Resources.Add(asked.room);
  item.StartTimeZone = ews.TimeZoneInfo.Utc;
  await item.Save(ews.WellKnownFolderName.Calendar, ews.SendInvitationsMode.SendToAllAndSaveCopy);
  return item.Id.UniqueId;
}

async function series(service, asked) {
  const item = new ews.Appointment(service);
  item.Subject = asked.series;
  item.Start = utc(asked.start).AddHours(4);
  item.End = utc(asked.end).AddHours(4);
  item.StartTimeZone = ews.TimeZoneInfo.Utc;
  item.Recurrence = new ews.Recurrence.DailyPattern(item.Start.Date, 1);
  item.Recurrence.NumberOfOccurrences = 3;
  await item.Save(ews.WellKnownFolderName.Calendar, ews.SendInvitationsMode.SendToNone);
}

async function calendar(service, asked) {
  const view = new ews.CalendarView(utc(asked.from), utc(asked.until), 100);
  const found = await service.FindAppointments(ews.WellKnownFolderName.Calendar, view);
  return found.Items.map((one) => ({
    id: one.Id.UniqueId, subject: one.Subject, start: iso(one.Start), end: iso(one.End),
    recurring: one.IsRecurring, kind: ews.AppointmentType[one.AppointmentType],
  }));
}

async function edit(service, id) {
  const item = await ews.Appointment.Bind(service, new ews.ItemId(id));
  item.Start = item.Start.AddHours(1);
  item.End = item.End.AddHours(1);
  await item.Update(ews.ConflictResolutionMode.AlwaysOverwrite, ews.SendInvitationsOrCancellationsMode.SendToAllAndSaveCopy);
  const again = await ews.Appointment.Bind(service, new ews.ItemId(id));
  return { start: iso(again.Start), body: again.Body.Text.trim(), rooms: again.Resources.GetEnumerator().map((one) => one.Address) };
}

async function sync(service, state) {
  const folder = new ews.FolderId(ews.WellKnownFolderName.Calendar);
  const scope = ews.SyncFolderItemsScope.NormalItems;
  const got = await service.SyncFolderItems(folder, ews.PropertySet.IdOnly, null, 512, scope, state);
  const changes = [];
  for (const one of got.GetEnumerator()) changes.push(ews.ChangeType[one.ChangeType]);
  return { state: got.SyncState, changes };
}

async function busy(service, asked) {
  const window = new ews.TimeWindow(utc(asked.from), utc(asked.until));
  const got = await service.GetUserAvailability([new ews.AttendeeInfo(asked.mailbox)], window, ews.AvailabilityData.FreeBusy);
  return got.AttendeesAvailability.Responses[0].CalendarEvents.map((one) => ({ start: iso(one.StartTime), end: iso(one.EndTime) }));
}

async function rooms(service) {
  const lists = await service.GetRoomLists();
  const found = [];
  for (const list of lists.GetEnumerator()) {
    for (const room of await service.GetRooms(list)) found.push(room.Address);
  }
  return found;
}

async function main() {
  const asked = read();
  const service = open(asked);
  const before = await sync(service, null);
  const id = await create(service, asked);
  await series(service, asked);
  const seen = { rooms: await rooms(service), created: id, calendar: await calendar(service, asked) };
  seen.edited = await edit(service, id);
  seen.changes = (await sync(service, before.state)).changes;
  seen.busy = await busy(service, asked);
  return seen;
}

main().then(
  (seen) => process.stdout.write(JSON.stringify(seen)),
  (problem) => { process.stderr.write(`${problem && (problem.stack || problem.Message || problem)}\n`); process.exitCode = 1; },
);
