package thousand

import (
	"fmt"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/document"
	"esplanade/bench/gateways"
	"esplanade/bench/proof"
)

// results are what a run has shown.
type results struct {
	Count   int     `json:"count"`
	UpAfter float64 `json:"up_after_s"`
	// KiB is the resident memory of the responder for each SA when all are up, KiBAtEnd at the end.
	KiB      float64 `json:"kib"`
	KiBAtEnd float64 `json:"kib_at_end"`
	// Silent are the SAs that carried nothing in the end.
	Silent         int     `json:"silent"`
	PacketsSent    int     `json:"packets_sent"`
	PacketsArrived int     `json:"packets_arrived"`
	CPUInitiator   float64 `json:"cpu_initiator_s"`
	CPUResponder   float64 `json:"cpu_responder_s"`
	// Up, Established: connections that are up, and IKE SAs that were set up in all.
	Up          float64 `json:"up"`
	Established float64 `json:"established"`
	IKERekeys   float64 `json:"ike_rekeys"`
	ChildRekeys float64 `json:"child_rekeys"`
	Liveness    float64 `json:"liveness_checks"`
	Retransmits float64 `json:"retransmits"`
	// Failures are those of both sides, FailuresFirst those before all were up.
	Failures      float64 `json:"failures"`
	FailuresFirst float64 `json:"failures_first"`

	a, b gateways.Metrics
}

// fill takes the figures out of the metrics. Rekeyings are counted by both sides, which began about half of them each.
func (r *results) fill() {
	r.Up, r.Established = r.a.Sum("ipsec_connection_up"), r.a.Sum("ipsec_ike_established_total")
	r.IKERekeys, r.ChildRekeys = r.a.Sum("ipsec_rekeys_total", `sa="ike"`), r.a.Sum("ipsec_rekeys_total", `sa="child"`)
	for _, m := range []gateways.Metrics{r.a, r.b} {
		r.Liveness += m.Sum("ipsec_exchanges_total", `exchange="INFORMATIONAL"`, `role="initiator"`)
		r.Retransmits += m.Sum("ipsec_retransmits_total")
		r.Failures += m.Sum("ipsec_exchange_failures_total")
	}
}

// lost is how many SAs are not what they were.
func (r *results) lost() int {
	return max(r.Silent, r.Count-int(r.Up), int(r.Established)-r.Count)
}

// judge says what is not as it must be.
func (r *results) judge(o *Options) error {
	var wrong proof.Faults
	wrong.Must(r.Up == float64(r.Count), "%.0f of %d connections are up", r.Up, r.Count)
	wrong.Must(r.Established == float64(r.Count), "%.0f IKE SAs were set up for %d connections", r.Established, r.Count)
	wrong.Must(r.Silent == 0, "%d SAs carry nothing", r.Silent)
	wrong.Must(r.Failures == 0, "%.0f failures", r.Failures)
	// Each is rekeyed at the latest after its time; the first one after that is owed a while later.
	if n := rekeysOwed(o.duration, childRekey) * r.Count; r.ChildRekeys < float64(n) {
		wrong.Must(false, "%.0f CHILD SAs were rekeyed, at least %d have to", r.ChildRekeys, n)
	}
	if n := rekeysOwed(o.duration, ikeRekey) * r.Count; r.IKERekeys < float64(n) {
		wrong.Must(false, "%.0f IKE SAs were rekeyed, at least %d have to", r.IKERekeys, n)
	}
	return wrong.Err()
}

// rekeysOwed is how often an SA must have been rekeyed at least.
func rekeysOwed(d, each time.Duration) int { return max(int((d-30*time.Second)/each), 0) }

// write makes both files.
func write(o *Options, r results, c proof.Conditions) error {
	if err := document.WriteJSON(o.Out, "thousand.json", &r); err != nil {
		return err
	}
	t := document.NewTable("", "")
	t.Rowf("all up after | %.1f s", r.UpAfter)
	t.Rowf("lost | %d", r.lost())
	t.Rowf("CHILD SAs rekeyed | %.0f", r.ChildRekeys)
	t.Rowf("IKE SAs rekeyed | %.0f", r.IKERekeys)
	t.Rowf("failures | %.0f", r.Failures)
	t.Rowf("INFORMATIONAL exchanges: liveness, deletes of what was replaced | %.0f", r.Liveness)
	t.Rowf("requests repeated | %.0f", r.Retransmits)
	t.Rowf("packets through the tunnels | %d sent, %d arrived", r.PacketsSent, r.PacketsArrived)
	t.Rowf("resident memory of the responder for each SA, when all are up and at the end | %.1f KiB, %.1f KiB", r.KiB, r.KiBAtEnd)
	t.Rowf("CPU in all: initiator, responder | %.1f s, %.1f s", r.CPUInitiator, r.CPUResponder)
	return document.WriteFile(o.Out, "thousand.md", fmt.Sprintf(`# %d IKE SAs for %v, %s

Two gateways with a connection with one CHILD SA for each (%s, pre-shared key, %s) and the limits they have by default. IKE SAs
are rekeyed every %v and CHILD SAs every %v at the latest, the peer is asked whether it lives when it was silent for 10 s,
and a packet goes through each SA every %v. %s

%s
%s`, r.Count, o.duration, c.Began.UTC().Format("2006-01-02"), contest.IKEProposal, espProposal, ikeRekey, childRekey, roundEvery,
		proof.Sentence(r.judge(o), fmt.Sprintf("Lost: %d.", r.lost())), t, c))
}
