package vici

import (
	"strconv"
	"strings"
	"time"
)

// message is the event for a connection.
func (c *ConnStatus) message() *Message {
	m := new(Message)
	s := m.Sub(c.Name)
	s.Set("local", c.Local)
	s.Set("remote", c.Remote)
	s.SetNonEmpty("origin", c.Origin)
	s.SetNonEmpty("local-id", c.LocalID)
	s.SetNonEmpty("remote-id", c.RemoteID)
	s.SetNonEmpty("proposal", c.Proposal)
	s.SetNonEmpty("ppk", c.PPK)
	s.SetYes("downgrade-prevention", c.DowngradePrevention)
	s.SetNonEmpty("nat", c.NAT)
	s.SetNonEmpty("nat-text", c.NATText)
	s.SetYes("mobike", c.MOBIKE)
	s.SetListNonEmpty("local-addrs", c.LocalAddrs...)
	s.SetListNonEmpty("remote-addrs", c.RemoteAddrs...)
	s.SetYes("resumed", c.Resumed)
	s.Setf("half-open", "%d", c.HalfOpen)
	s.Setf("refused", "%d", c.Refused)
	c.State.fill(s)
	if c.Client != nil {
		c.Client.fill(s.Sub("client"))
	}
	children := s.Sub("children")
	for i := range c.Children {
		ch := &c.Children[i]
		ch.fill(children.Sub(ch.Name))
	}
	peers := s.Sub("peers")
	for i := range c.Peers {
		c.Peers[i].fill(peers.Sub(strconv.FormatUint(c.Peers[i].ID, 10)))
	}
	return m
}

func (ch *ChildStatus) fill(cs *Message) {
	ch.State.fill(cs)
	cs.SetList("local-ts", ch.LocalTS...)
	cs.SetList("remote-ts", ch.RemoteTS...)
	cs.SetNonEmpty("proposal", ch.Proposal)
	cs.Setf("sas", "%d", ch.SAs)
	cs.Setf("bytes-in", "%d", ch.BytesIn)
	cs.Setf("packets-in", "%d", ch.PacketsIn)
	cs.Setf("bytes-out", "%d", ch.BytesOut)
	cs.Setf("packets-out", "%d", ch.PacketsOut)
	if p := ch.Path; p != nil {
		s := cs.Sub("path")
		s.Setf("mtu", "%d", p.MTU)
		s.Setf("inner-mtu", "%d", p.Inner)
		s.SetNonEmpty("lowered-by", p.LoweredBy)
		setTime(s, "since", p.Since)
	}
}

func (st *State) fill(m *Message) {
	m.Set("desired", st.Desired)
	m.Set("state", st.Current)
	setTime(m, "since", st.Since)
	m.SetNonEmpty("waits-for", st.WaitsFor)
	setTime(m, "next-try", st.NextTry)
	setTime(m, "next-rekey", st.NextRekey)
	setTime(m, "heard", st.Heard)
	if len(st.Remarks) > 0 {
		remarks := m.Sub("remarks")
		for i := range st.Remarks {
			st.Remarks[i].fill(remarks.Sub(strconv.Itoa(i + 1)))
		}
	}
	if s := st.Silence; s != nil {
		s.fill(m.Sub("silence"))
	}
	if f := st.LastFailure; f != nil {
		f.fill(m.Sub("last-failure"))
	}
	if f := st.Aside; f != nil {
		f.fill(m.Sub("aside"))
	}
}

func (s *Silence) fill(m *Message) {
	m.Set("request", s.Request)
	setTime(m, "since", s.Since)
	m.Setf("repeated", "%d", s.Repeated)
	m.Setf("tries", "%d", s.Tries)
	s.Failure.fill(m.Sub("failure"))
}

func (f *FailureStatus) fill(m *Message) {
	m.Set("code", f.Code)
	m.Set("text", cut(f.Text, maxText))
	m.Set("fix", cut(f.Fix, maxText))
	m.Setf("count", "%d", f.Count)
	setTime(m, "first", f.First)
	setTime(m, "last", f.Last)
}

// message is the response to the command.
func (g *GatewayStatus) message() *Message {
	m := new(Message)
	m.Set("version", g.Version)
	setTime(m, "since", g.Since)
	m.SetNonEmpty("config", g.Config)
	setTime(m, "loaded-at", g.LoadedAt)
	if g.ReloadError != "" { // a line each: a value has no line breaks
		m.SetList("reload-errors", strings.Split(cut(g.ReloadError, maxText), "\n")...)
	}
	m.Setf("ike-sas", "%d", g.IKESAs)
	m.Setf("half-open", "%d", g.HalfOpen)
	m.Setf("child-sas", "%d", g.ChildSAs)
	dp := m.Sub("data-path")
	dp.Set("device", g.DataPath.Device)
	dp.Setf("mtu", "%d", g.DataPath.MTU)
	dp.Setf("workers", "%d", g.DataPath.Workers)
	dp.SetList("sockets", g.DataPath.Sockets...)
	if r := g.DataPath.Routing; r != nil {
		r.fill(dp.Sub("routing"))
	}
	features := dp.Sub("features")
	for _, f := range g.DataPath.Features {
		s := features.Sub(f.Name)
		s.Set("used", yesNo(f.Used))
		s.SetNonEmpty("reason", f.Reason)
	}
	drops := m.Sub("drops")
	for _, d := range g.Drops {
		s := drops.Section(d.Direction)
		if s == nil {
			s = drops.Sub(d.Direction)
		}
		s.Setf(d.Reason, "%d", d.Packets)
	}
	m.SetNonEmpty("no-policy", g.NoPolicy)
	setTime(m, "no-policy-at", g.NoPolicyAt)
	fillHostWarnings(m.Sub("host-warnings"), g.HostWarnings)
	fillRADIUS(m.Sub("radius"), g.RADIUS)
	if g.RecordsWaiting > 0 {
		m.Setf("records-waiting", "%d", g.RecordsWaiting)
	}
	if g.Guesses != nil {
		g.Guesses.fill(m.Sub("guesses"))
	}
	strangers := m.Sub("strangers")
	for i := range g.Strangers {
		g.Strangers[i].fill(strangers.Sub(strconv.Itoa(i + 1)))
	}
	if g.DroppedEvents > 0 {
		m.Setf("dropped-events", "%d", g.DroppedEvents)
	}
	m.Set("success", "yes")
	return m
}

func setTime(m *Message, name string, t time.Time) {
	if !t.IsZero() {
		m.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
