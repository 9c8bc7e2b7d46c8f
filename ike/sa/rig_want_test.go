package sa

import "esplanade/ike/diag"

// wantUp checks that both sides have one established IKE SA with n live children whose SPIs and keys fit together.
func (r *rig) wantUp(n int) (*Machine, *Machine) {
	r.t.Helper()
	la, lb := r.a.live(), r.b.live()
	if len(la) != 1 || len(lb) != 1 {
		r.t.Fatalf("want one live IKE SA on each side, have %d and %d", len(la), len(lb))
	}
	ma, mb := la[0], lb[0]
	if ma.State() != StateEstablished || mb.State() != StateEstablished {
		r.t.Fatalf("want ESTABLISHED, have %s and %s", ma.State(), mb.State())
	}
	if ma.LocalSPI() != mb.PeerSPI() || mb.LocalSPI() != ma.PeerSPI() {
		r.t.Fatal("the sides have different IKE SAs")
	}
	count := func(m *Machine) (live []*Child) {
		for _, c := range m.Children() {
			if c.live() {
				live = append(live, c)
			}
		}
		return live
	}
	ca, cb := count(ma), count(mb)
	if len(ca) != n || len(cb) != n {
		r.t.Fatalf("want %d live children on each side, have %d and %d", n, len(ca), len(cb))
	}
	for _, c := range ca {
		p := mb.childByPeerSPI(c.Protocol, c.Inbound.SPI)
		if p == nil || p.Inbound.SPI != c.Outbound.SPI {
			r.t.Fatalf("child %08x has no counterpart", c.Inbound.SPI)
		}
		if string(p.Inbound.EncrKey) != string(c.Outbound.EncrKey) || string(c.Inbound.EncrKey) != string(p.Outbound.EncrKey) ||
			string(p.Inbound.IntegKey) != string(c.Outbound.IntegKey) || string(c.Inbound.EncrKey) == string(c.Outbound.EncrKey) {
			r.t.Fatalf("child %08x: the sides have different keys", c.Inbound.SPI)
		}
	}
	for _, e := range []*end{r.a, r.b} {
		for policy, c := range e.outbound {
			peer := r.other(e)
			found := false
			for _, in := range peer.inbound {
				found = found || in.Inbound.SPI == c.Outbound.SPI
			}
			if !found {
				r.t.Fatalf("%s sends policy %d on SPI %08x, which the peer does not have", e.name, policy, c.Outbound.SPI)
			}
		}
		if len(e.outbound) != n {
			r.t.Fatalf("%s has %d outbound policies, want %d", e.name, len(e.outbound), n)
		}
		if len(e.spis) != len(e.inbound) {
			r.t.Fatalf("%s has %d SPIs allocated and %d inbound SAs", e.name, len(e.spis), len(e.inbound))
		}
	}
	return ma, mb
}

// wantNothing checks that no state is left on a side.
func (e *end) wantNothing() {
	e.r.t.Helper()
	if n := len(e.live()); n != 0 {
		e.r.t.Errorf("%s has %d IKE SAs left", e.name, n)
	}
	if len(e.inbound) != 0 || len(e.outbound) != 0 || len(e.spis) != 0 {
		e.r.t.Errorf("%s has %d inbound, %d outbound, %d SPIs left", e.name, len(e.inbound), len(e.outbound), len(e.spis))
	}
}

// wantFailure checks that a failure of a code was reported, and returns it.
func (e *end) wantFailure(code diag.Code) *diag.Failure {
	e.r.t.Helper()
	for _, f := range append(append([]*diag.Failure(nil), e.failures...), e.refused...) {
		if f.Code == code {
			return f
		}
	}
	e.r.t.Fatalf("%s reported no %s; it has %v %v", e.name, code, e.failures, e.refused)
	return nil
}
