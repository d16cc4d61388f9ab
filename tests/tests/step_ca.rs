//! The client of step-ca against the real one, and against the test bed's stand-in: one suite over both.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test may panic")]

#[path = "step_ca/acme.rs"]
mod acme;
#[path = "step_ca/ca.rs"]
mod ca;
#[path = "step_ca/conforming.rs"]
mod conforming;
#[path = "step_ca/credentials.rs"]
mod credentials;
#[path = "step_ca/daemon.rs"]
mod daemon;
#[path = "step_ca/hostile.rs"]
mod hostile;
#[path = "step_ca/one_wish.rs"]
mod one_wish;
#[path = "step_ca/renewals.rs"]
mod renewals;
#[path = "step_ca/trust.rs"]
mod trust;

/// Makes a test of each function, once for the real step-ca and once for the stand-in.
macro_rules! over_both {
    ($($module:ident :: $case:ident),+ $(,)?) => {
        mod real {
            $(#[test] fn $case() { crate::$module::$case::<crate::ca::Real>(); })+
        }

        mod stand_in {
            $(#[test] fn $case() { crate::$module::$case::<crate::ca::StandIn>(); })+
        }
    };
}

over_both! {
    credentials::the_key_of_a_provisioner_signs,
    credentials::the_holder_of_a_certificate_signs,
    credentials::a_token_from_outside_signs_once,
    credentials::a_key_in_a_file_signs_in_every_form,
    credentials::a_wrong_password_opens_nothing,
    credentials::a_provisioner_that_there_is_not_is_told_by_name,
    credentials::a_lifetime_is_as_wished_or_refused,
    renewals::the_same_key_is_renewed_and_a_fresh_one_rekeyed,
    renewals::other_names_are_signed_anew,
    renewals::what_has_ended_is_renewed_where_the_ca_allows_it,
    renewals::what_has_ended_is_signed_anew_where_it_does_not,
    renewals::what_is_revoked_is_not_renewed,
    renewals::a_clock_that_is_ten_minutes_off_does_no_harm,
    renewals::a_restart_in_the_middle_is_waited_for,
    trust::only_the_configured_fingerprint_is_believed,
    trust::a_root_changes_while_both_are_trusted,
    trust::an_examination_tells_what_is_wrong,
}
