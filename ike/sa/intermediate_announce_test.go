package sa

import (
	"slices"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// "If the IKE_INTERMEDIATE exchange is not negotiated, then the peers MUST treat any ADDKE Transform Types in the IKE_SA_INIT
// exchange messages as unknown transform types and skip the proposals they appear in." So both messages announce the exchange
// when their SA payload has such a type, be it NONE, and a request that does not is not answered with one.
// https://www.rfc-editor.org/rfc/rfc9370#section-2.2.1-13
func TestIntermediateIsAnnouncedWithEveryType(t *testing.T) {
	const plain = "aes256gcm16-prfsha384-x25519"
	for name, c := range map[string]struct {
		a, b     string
		mute     bool // the request does not announce the exchange
		announce bool // in the answer
		refused  bool
	}{
		"both have one":                {a: hybrid, b: hybrid, announce: true},
		"optional, and not chosen":     {a: plain + "-ke1_mlkem768-ke1_none", b: plain, announce: true},
		"only NONE is offered":         {a: plain + "-ke1_none", b: plain + "-ke1_mlkem768-ke1_none", announce: true},
		"none is offered":              {a: plain, b: plain + "-ke1_mlkem768-ke1_none"},
		"not announced":                {a: plain + "-ke1_mlkem768-ke1_none", b: plain, mute: true, refused: true},
		"not announced, two to choose": {a: plain + "-ke1_none," + plain, b: plain, mute: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 92, ikeProposals(t, c.a, c.b))
			var request, answer *wire.Message
			r.drop = func(e *end, d []byte) bool {
				if m, err := wire.Parse(d); err == nil && m.Header.Exchange == wire.ExchangeIKESAInit {
					if e == r.a {
						request = m
					} else {
						answer = m
					}
				}
				return false
			}
			f := firstInit(t, r)
			if got := announcesIntermediate(request.Payloads); got != (name != "none is offered") {
				t.Errorf("the request announces the exchange: %v", got)
			}
			if c.mute {
				m := wire.Message{Header: request.Header, Payloads: slices.DeleteFunc(request.Payloads, func(p wire.Payload) bool {
					n, ok := p.(*wire.Notify)
					return ok && n.NotifyType == wire.NotifyIntermediateExchangeSupported
				})}
				f.data = m.Append(nil)
				r.wire = nil
				acc := Accept(r.b.env, r.now, f.data, f.path)
				if refused := acc.Machine == nil; refused != c.refused {
					t.Fatalf("refused: %v, %v", refused, acc.Failure)
				}
				if !c.refused && acc.Machine.chosen.HasAdditional() {
					t.Error("the proposal with the type was chosen")
				}
				return
			}
			r.run(5 * time.Second)
			r.wantUp(1)
			if got := announcesIntermediate(answer.Payloads); got != c.announce {
				t.Errorf("the answer announces the exchange: %v", got)
			}
			sa, _ := find[*wire.SA](answer.Payloads)
			named := slices.ContainsFunc(sa.Proposals[0].Transforms, func(t wire.Transform) bool { return t.Type.IsKE() && t.Type != wire.TransformKE })
			if named && !announcesIntermediate(answer.Payloads) {
				t.Error("the answer has a type for additional key exchanges and does not announce the exchange")
			}
		})
	}
}
