//! How well the packets of a leg travel, and what a listener would think of it.

use std::time::Duration;

/// The figures of one leg since it opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QualityReport {
    /// RTP packets we sent.
    pub packets_sent: u64,
    /// Octets of payload in them.
    pub octets_sent: u64,
    /// RTP packets that arrived and were believed.
    pub packets_received: u64,
    /// Octets of payload in them.
    pub octets_received: u64,
    /// Packets that never came, by the gaps in the numbers (RFC 3550 appendix A.3).
    pub packets_lost: u64,
    /// Interarrival jitter in milliseconds (RFC 3550 section 6.4.1).
    pub jitter_ms: f32,
    /// Share of our packets that the far end says it lost, in percent, over all its reports.
    pub remote_loss_percent: Option<f32>,
    /// Round trip by the far end's RTCP reports in milliseconds; none without such reports.
    pub rtt_ms: Option<f32>,
    /// The estimated opinion of a listener on this leg's incoming sound, 1.0 to 4.4; none before packets came.
    pub mos: Option<f32>,
    /// Packets that did not authenticate.
    pub srtp_failures: u64,
    /// Encrypted packets that had come before, or came too late to tell.
    pub replays: u64,
    /// Packets from strangers, and what is no RTP.
    pub foreign_packets: u64,
}

/// The mean opinion (1.0 to 4.4) that the E-model of ITU-T G.107 estimates for G.711.
///
/// Simplified as is usual: all that a packet path cannot know stands at its default, so that
/// R = 93.2 - Id - Ie,eff; Id = 0.024 d + 0.11 (d - 177.3) above 177.3 ms, with d the one-way delay: half the
/// round trip (50 ms where unknown), one packet of 20 ms, and a jitter buffer of twice the jitter;
/// Ie,eff = 95 P / (P + 25.1) with P the loss in percent and 25.1 the robustness of G.711 with loss concealment
/// (ITU-T G.113 appendix I). Then MOS = 1 + 0.035 R + R (R - 60) (100 - R) 7e-6.
pub fn mean_opinion(loss_percent: f32, jitter_ms: f32, round_trip: Option<Duration>) -> f32 {
    let one_way_ms = round_trip.map_or(UNKNOWN_ROUND_TRIP_MS, |t| t.as_secs_f32() * 1000.0) / 2.0;
    let delay_ms = one_way_ms + PACKET_MS + 2.0 * jitter_ms;
    let delay_impairment = 0.024 * delay_ms + 0.11 * (delay_ms - 177.3).max(0.0);
    let loss = loss_percent.clamp(0.0, 100.0);
    let equipment_impairment = 95.0 * loss / (loss + LOSS_ROBUSTNESS);
    let r = (93.2 - delay_impairment - equipment_impairment).clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

/// Bpl of G.711 with packet loss concealment and random loss.
const LOSS_ROBUSTNESS: f32 = 25.1;
/// Milliseconds of sound in a packet: what we and Teams send.
const PACKET_MS: f32 = 20.0;
/// Milliseconds assumed for a round trip nobody measured: a path inside one continent.
const UNKNOWN_ROUND_TRIP_MS: f32 = 50.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_path_is_as_good_as_g711_gets() {
        let mos = mean_opinion(0.0, 0.0, Some(Duration::from_millis(20)));
        assert!((4.38..4.42).contains(&mos), "{mos}");
    }

    #[test]
    fn loss_jitter_and_delay_each_cost_opinion() {
        let clean = mean_opinion(0.0, 1.0, Some(Duration::from_millis(40)));
        let lossy = mean_opinion(3.0, 1.0, Some(Duration::from_millis(40)));
        let shaky = mean_opinion(0.0, 60.0, Some(Duration::from_millis(40)));
        let far = mean_opinion(0.0, 1.0, Some(Duration::from_millis(600)));
        assert!(lossy < clean && shaky < clean && far < clean, "{clean} {lossy} {shaky} {far}");
        // ITU-T G.107: 3 % random loss with concealment costs about 10 points of R.
        assert!((4.0..4.3).contains(&lossy), "{lossy}");
    }

    #[test]
    fn the_worst_path_is_one_and_not_less() {
        assert_eq!(mean_opinion(100.0, 500.0, Some(Duration::from_secs(5))), 1.0);
    }
}
