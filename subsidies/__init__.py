"""The month: determination, enrolment, entitlement."""
