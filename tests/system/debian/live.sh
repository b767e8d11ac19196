#!/bin/sh
# Runs inside a booted Debian where the package of an earlier version is installed, and tells one line per thing seen.
# Ends by switching the machine off; the lines are in /live.log.
exec >/live.log 2>&1

say() { printf '%s\n' "$*"; }
property() { systemctl show -p "$1" --value "$2"; }
until_is() { # SECONDS COMMAND...: 0 as soon as the command succeeds
    left=$1; shift
    while [ "$left" -gt 0 ]; do "$@" >/dev/null 2>&1 && return 0; sleep 1; left=$((left - 1)); done
    return 1
}
seen() { what=$1; shift; if "$@" >/dev/null 2>&1; then say "ok: $what"; else say "NOT: $what"; fi; }
fresh() { python3 -c "import urllib.request,sys; sys.exit(urllib.request.urlopen('http://127.0.0.1:8081/$1').status != 200)"; }
is_failed() { [ "$(property ActiveState syncd)" = failed ]; }
restarts() { [ "$(property NRestarts syncd)" -ge "$1" ]; }
told() { journalctl -u syncd --no-pager | grep -qF "$1"; }
compiled() { # no module of ours or of a library lies there without its compiled form
    modules=$(find /usr/lib/syncd/lib -name '*.py' | wc -l)
    forms=$(find /usr/lib/syncd/lib -name '*.pyc' | wc -l)
    say "modules: $modules, compiled: $forms"
    [ -n "$(find /usr/lib/syncd/lib -path '*/syncd/__pycache__/*.pyc')" ] && [ "$forms" -ge $((modules * 98 / 100)) ]
}
as_service() { # COMMAND...: as systemd/README.md says
    systemd-run --pipe --wait --collect --quiet -p User=syncd -p Group=syncd -p StateDirectory=syncd \
        -p LoadCredential=plain:/etc/syncd/credentials -p LoadCredentialEncrypted=sealed:/etc/syncd/credentials.sealed "$@"
}

install -m 0640 -g syncd /live/syncd.toml /etc/syncd/syncd.toml
install -m 0640 -g syncd /live/offers.toml /etc/syncd/offers.toml
install -m 0600 /live/secret /etc/syncd/credentials/plain-one
systemd-creds encrypt --name=sealed_sealed-one /live/secret /etc/syncd/credentials.sealed/sealed-one

seen "the version before this one starts" systemctl start syncd
say "version: $(syncd --version)"
seen "this version is installed over the running one" dpkg -i /live/syncd.deb
seen "and serves" until_is 300 fresh readyz
say "version: $(syncd --version)"
seen "its modules were compiled when it was installed" compiled
seen "the folder of the configuration is for root and syncd only" test "$(stat -c %a%U%G /etc/syncd)" = 750rootsyncd
seen "the folder of plain secrets is for root only" test "$(stat -c %a%U /etc/syncd/credentials)" = 700root
kept=$(ls -t /var/lib/syncd/backups/syncd-before-*.sqlite3 | head -n 1)
seen "the database was backed up before its layout was changed" test -s "$kept"
seen "and the journal tells the way back" told "Way back: stop syncd, install the version before"
systemctl stop syncd; dpkg -i /live/before.deb >/dev/null; systemctl start --no-block syncd
seen "the version before serves on the newer layout, which only adds to its own" until_is 300 fresh readyz
systemctl stop syncd # then a layout that takes something away:
python3 -c 'import sqlite3; c = sqlite3.connect("/var/lib/syncd/syncd.sqlite3"); c.execute("DELETE FROM settings WHERE name = ?", ("layout_serves",)); c.commit()'
systemctl start --no-block syncd
seen "and refuses, in a sentence, one that takes away what it needs" until_is 300 told "made by a newer syncd than this one"
systemctl stop syncd; mkdir /aside; mv /var/lib/syncd/syncd.sqlite3* /aside/
seen "the way back can be gone: the backup goes into an empty database" as_service sh -c "syncd db upgrade && syncd db restore --yes $kept"
seen "and the version before serves again" systemctl start syncd
systemctl stop syncd
seen "this version is installed once more" dpkg -i /live/syncd.deb

seen "starts, and systemctl returns only when it is ready" systemctl start syncd
seen "syncd check works as the service would see it" as_service syncd check
seen "ready: startupz answers 200 at that moment" fresh startupz
seen "readyz answers 200" fresh readyz
seen "both credentials were read" test "$(property ActiveState syncd)" = active
seen "runs as its own user" test "$(stat -c %U /proc/$(property MainPID syncd))" = syncd
seen "the database is in the state directory, for its user only" test "$(stat -c %a%U /var/lib/syncd/syncd.sqlite3)" = 600syncd
say "status: $(property StatusText syncd)"

first=$(property MainPID syncd)
seen "reload keeps the process" systemctl reload syncd
sleep 3
seen "after the reload the same process is active" test "$(property MainPID syncd)$(property ActiveState syncd)" = "${first}active"
echo 'suport = "x"' >/tmp/broken; cat /etc/syncd/syncd.toml >>/tmp/broken
cp -p /etc/syncd/syncd.toml /etc/syncd/good.toml; cat /tmp/broken >/etc/syncd/syncd.toml
systemctl reload syncd; sleep 10
seen "a reload with a mistake leaves it active" test "$(property MainPID syncd)$(property ActiveState syncd)" = "${first}active"
seen "and the journal says what to mend" sh -c "journalctl -u syncd --no-pager | grep -q 'did you mean'"
systemctl restart syncd; until_is 180 is_failed
seen "a start with a mistake fails with 78 and is not tried again" test "$(property ExecMainStatus syncd)$(property ActiveState syncd)" = 78failed
cat /etc/syncd/good.toml >/etc/syncd/syncd.toml
seen "mended, it starts" systemctl start syncd

there() { # every page that an alert names, and what is copied from the documentation, as plain files
    for page in $(sed -n 's|.*runbook_url: file://||p' /usr/share/doc/syncd/observability/alerts.yml); do
        test -f "$page" || { say "missing: $page"; return 1; }
    done
    test -f /usr/share/doc/syncd/observability/service.json -a -f /usr/share/doc/syncd/examples/nginx/syncd.conf
}
seen "alerts lead to pages that are there, and nothing to be copied is packed" there
printf 'name;organisation;adapter;url;username;site;mailboxes;tenant;database\naarup;Aarup;caldav;http://127.0.0.1:9/;syncd;Torvet;10;;\n' >/table.csv
seen "another organisation is made under a tight umask" sh -c "umask 077; syncd organisations make /table.csv"
install -D -m 0600 /live/secret /etc/syncd/credentials/aarup/kalender
systemctl daemon-reload
seen "its instance starts beside the first" systemctl start syncd@aarup
seen "with a database of its own" test "$(stat -c %a%U /var/lib/syncd-aarup/syncd.sqlite3)" = 600syncd
seen "a backup of it by its unit" systemctl start syncd-backup@aarup
first=$(property MainPID syncd@aarup)
/var/lib/dpkg/info/syncd.postinst configure 0.0.9
seen "an upgrade restarts it, too" sh -c "! test -d /proc/$first && systemctl is-active syncd@aarup"

kill -9 "$(property MainPID syncd)"
seen "killed, it is back by itself" until_is 300 fresh readyz
before=$(property NRestarts syncd)
kill -STOP "$(property MainPID syncd)"
seen "frozen, the watchdog ends it and it is begun again" until_is 400 restarts $((before + 1))
seen "and serves again" until_is 300 fresh readyz

seen "a backup by the unit" systemctl start syncd-backup
seen "lies in the folder of backups" sh -c "ls /var/lib/syncd/backups/syncd-*.sqlite3"
seen "the timer can be enabled" systemctl enable --now syncd-backup.timer
systemd-analyze security syncd --no-pager | tail -n 1

seen "stops within 20 seconds" timeout 20 systemctl stop syncd
seen "the package is removed, and configuration and database stay" sh -c "dpkg -r syncd && test -e /etc/syncd/syncd.toml -a -e /var/lib/syncd/syncd.sqlite3"
seen "the other organisation's instance has ended" test "$(property ActiveState syncd@aarup)" != active
seen "purged, nothing of it is left" sh -c "dpkg -P syncd && test ! -e /etc/syncd -a ! -e /var/lib/syncd -a ! -e /var/lib/syncd-aarup -a ! -e /usr/lib/syncd"
journalctl -u syncd --no-pager >/live.journal
say end
systemctl poweroff
