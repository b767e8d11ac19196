"""The planner facade for Jobnet: two generations of one contract, REST BorgerBooking and SOAP ExternalBookingService.

What is publicly known of the contract is followed; what is not is in the mapping file, and named as our choice.
"""
