package users

import (
	"fmt"

	"esplanade/bench/contest"
	"esplanade/bench/document"
	"esplanade/bench/proof"
)

// write makes both files.
func write(o *Options, r results, c proof.Conditions) error {
	if err := document.WriteJSON(o.Out, "users.json", &r); err != nil {
		return err
	}
	t := document.NewTable("", "")
	t.Rowf("users who come in for the first time, a second | %.0f", r.PerSecond)
	t.Rowf("CPU of the gateway for each of them | %.2f ms, so %.0f a second and core", r.CPUMillis, 1000/r.CPUMillis)
	t.Rowf("resident memory of the gateway for each | %.1f KiB", r.KiB)
	t.Rowf("time to come in, 99th percentile | %.1f ms", r.P99)
	t.Rowf("logins in all, failed | %d, %d", r.Logins, r.Failed)
	t.Rowf("left with a DELETE, vanished without a word | %d, %d", r.Left, r.Vanished)
	t.Rowf("the gateway was killed, all were back after | %d times, %.1f s at most", r.Restarts, r.BackAfter)
	t.Rowf("addresses given to two users | %d", r.Twice)
	t.Rowf("users who did not get their address back | %d", r.Lost)
	t.Rowf("addresses forgotten when the gateway was killed | %d", r.Forgotten)
	t.Rowf("in at the end, addresses held | %d, %d", r.In, r.Online)
	t.Rowf("requests repeated | %d", r.Retransmits)
	return document.WriteFile(o.Out, "users.md", fmt.Sprintf(`# %d users who come and go for %v, %s

The gateway has a certificate (ECDSA P-256), the users in a file and a pool; each user comes in by EAP-MSCHAPv2 (%s, %s) and gets an
address, which is on disk before the user learns of it. Two in a hundred at a time leave, or vanish without a word, and come back, which they say is the first contact; in between the gateway is killed
and started again. %s

%s
%s`, r.Count, o.duration, c.Began.UTC().Format("2006-01-02"), contest.IKEProposal, "aes128gcm16",
		proof.Sentence(r.judge(), "No address was given to two users, and everybody came back to his own."), t, c))
}
