//! Notices to the staff's phones.

use hookbridge::admin::overview::need::Kind;
use hookbridge::admin::overview::now;
use hookbridge::sandbox::PhoneNumber;

use super::{fresh, later, resume_number, stop_number, who};
use crate::support::bridge::Bridge;

const STAFF: &str = "+5491150001111";

fn settings(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![
        ("NOTIFY__LANGUAGE", "pt_BR"),
        ("NOTIFY__WHATSAPP__TO", STAFF),
        ("NOTIFY__DIGEST_DAY", ""),
        ("SENDERS__MAIN__PAIR_INTERVAL_S", "0"),
    ];
    all.extend_from_slice(more);
    all
}

/// Something urgent that is about no number.
async fn left_out(bridge: &Bridge, on: bool) {
    if on {
        bridge
            .db
            .own(
                "INSERT INTO version (kind, name, content, at, who, note, live) VALUES ('hookpoint', \
            'client_registered', '[client_registered]\nwhen = 7\n', NOW(), 'luz', '', TRUE)",
            )
            .await;
    } else {
        bridge.db.own("DELETE FROM version").await;
    }
    bridge.db.own("UPDATE revision SET number = number + 1").await;
    bridge.app.refresh().await.expect("what was saved is read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_staff_is_told_by_whatsapp_with_a_text_of_its_own_and_not_by_a_number_that_is_stopped() {
    let bridge = Bridge::with(&settings(&[]), |_| {}).await;
    fresh(&bridge).await;
    let (ok, out, err) = bridge.run(&["notify", "text", "--submit"]).await;
    assert!(ok && out.contains("hookbridge_notice (pt_BR): APPROVED"), "{out}{err}");
    let (_, doctor, _) = bridge.run(&["doctor"]).await;
    assert!(doctor.contains("`hookbridge_notice` (pt_BR) is approved"), "{doctor}");
    left_out(&bridge, true).await;
    bridge.app.notify().await;
    assert_eq!(later(&bridge, 61).await, 1);
    bridge.settle().await;
    let seen = bridge.phones();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(format!("{:?}", seen[0]).contains("Aviso do hookbridge à equipe: "), "{:?}", seen[0]);
    assert!(format!("{:?}", seen[0]).contains("client_registered"), "{:?}", seen[0]);
    stop_number(&bridge).await;
    left_out(&bridge, false).await;
    bridge.app.notify().await;
    assert_eq!(later(&bridge, 61).await, 0, "the number is stopped, and there is no other");
    let desk = bridge.app.desk.clone().expect("a key is set");
    later(&bridge, 200).await;
    let state = now(&desk, &who()).await.expect("it can be read");
    let failing = state.needs.iter().find(|need| need.kind == Kind::NoticesFail).expect("it is named");
    assert!(format!("{failing:?}").contains("no sending number"), "{failing:?}");
    resume_number(&bridge).await;
    later(&bridge, 3_600).await;
    bridge.settle().await;
    assert!(bridge.phones().len() > 1, "what is over is told when the number sends");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_number_tells_that_one_is_stopped_and_a_notice_that_ends_unsent_is_no_lost_alert() {
    let more = [
        ("SENDERS__MAIN__RATE_PER_S", "80"),
        ("SENDERS__SECOND__PHONE_NUMBER_ID", "777000777"),
        ("SENDERS__SECOND__PAIR_INTERVAL_S", "0"),
    ];
    let second = PhoneNumber::new("777000777", "+54 11 5550 0000");
    let bridge = Bridge::with(&settings(&more), |sandbox| sandbox.phone_numbers.push(second)).await;
    fresh(&bridge).await;
    bridge.run(&["notify", "text", "--submit"]).await;
    stop_number(&bridge).await;
    bridge.app.notify().await;
    assert_eq!(later(&bridge, 61).await, 1);
    let lane: Vec<String> = bridge.messages().await.into_iter().map(|one| one.lane).collect();
    assert_eq!(lane, ["second"]);
    // It waits for an hour at most, and ends by itself.
    bridge.wait_s(3_700);
    bridge.app.keep_house().await.expect("it expires");
    bridge.settle().await;
    fresh(&bridge).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let state = now(&desk, &who()).await.expect("it can be read");
    assert!(state.needs.iter().all(|need| need.kind != Kind::Lost), "{:?}", state.needs);
    assert!(state.needs.iter().any(|need| need.kind == Kind::NoticesFail), "{:?}", state.needs);
    resume_number(&bridge).await;
    bridge.finish().await;
}
