package vici

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parser reads typed values out of messages and keeps the first error.
type parser struct{ err error }

func (p *parser) time(m *Message, name string) time.Time {
	v, ok := m.Lookup(name)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	p.keep(name, err)
	return t
}

func (p *parser) int(m *Message, name string) int {
	v, ok := m.Lookup(name)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(v)
	p.keep(name, err)
	return n
}

func (p *parser) uint64(m *Message, name string) uint64 {
	v, ok := m.Lookup(name)
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(v, 10, 64)
	p.keep(name, err)
	return n
}

func (p *parser) keep(name string, err error) {
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("vici: status: %s: %w", name, err)
	}
}

// parseConnStatus reads the event for a connection.
func parseConnStatus(m *Message) (ConnStatus, error) {
	var c ConnStatus
	var p parser
	for name, s := range m.Sections() {
		c = ConnStatus{
			Name: name, Origin: s.Get("origin"), Local: s.Get("local"), Remote: s.Get("remote"),
			LocalID: s.Get("local-id"), RemoteID: s.Get("remote-id"), Proposal: s.Get("proposal"), PPK: s.Get("ppk"), State: p.state(s),
			MOBIKE: s.Get("mobike") == "yes", LocalAddrs: s.List("local-addrs"), RemoteAddrs: s.List("remote-addrs"),
			DowngradePrevention: s.Get("downgrade-prevention") == "yes",
			Resumed:             s.Get("resumed") == "yes", NAT: s.Get("nat"), NATText: s.Get("nat-text"),
			HalfOpen: p.int(s, "half-open"), Refused: p.int(s, "refused"), Client: parseClientStatus(s.Section("client")),
		}
		for name, s := range s.Section("children").Sections() {
			c.Children = append(c.Children, ChildStatus{
				Name: name, State: p.state(s),
				LocalTS: s.List("local-ts"), RemoteTS: s.List("remote-ts"), Proposal: s.Get("proposal"), SAs: p.int(s, "sas"),
				BytesIn: p.uint64(s, "bytes-in"), PacketsIn: p.uint64(s, "packets-in"),
				BytesOut: p.uint64(s, "bytes-out"), PacketsOut: p.uint64(s, "packets-out"), Path: p.path(s.Section("path")),
			})
		}
		for id, s := range s.Section("peers").Sections() {
			c.add(ConnStatus{Peers: []PeerStatus{p.peer(id, s)}})
		}
		return c, p.err
	}
	return c, fmt.Errorf("vici: status: an event without a connection")
}

func (p *parser) path(m *Message) *PathStatus {
	if m == nil {
		return nil
	}
	return &PathStatus{MTU: p.int(m, "mtu"), Inner: p.int(m, "inner-mtu"), LoweredBy: m.Get("lowered-by"), Since: p.time(m, "since")}
}

func (p *parser) state(m *Message) State {
	st := State{
		Desired: m.Get("desired"), Current: m.Get("state"), Since: p.time(m, "since"), WaitsFor: m.Get("waits-for"),
		NextTry: p.time(m, "next-try"), NextRekey: p.time(m, "next-rekey"), Heard: p.time(m, "heard"),
	}
	for _, s := range m.Section("remarks").Sections() {
		st.Remarks = append(st.Remarks, p.failure(s))
	}
	st.Silence = p.silence(m.Section("silence"))
	if s := m.Section("last-failure"); s != nil {
		f := p.failure(s)
		st.LastFailure = &f
	}
	if s := m.Section("aside"); s != nil {
		f := p.failure(s)
		st.Aside = &f
	}
	return st
}

func (p *parser) silence(s *Message) *Silence {
	if s == nil {
		return nil
	}
	f := p.failure(s.Section("failure"))
	return &Silence{
		Request: s.Get("request"), Since: p.time(s, "since"), Repeated: p.int(s, "repeated"), Tries: p.int(s, "tries"), Failure: &f,
	}
}

func (p *parser) failure(s *Message) FailureStatus {
	return FailureStatus{
		Code: s.Get("code"), Text: s.Get("text"), Fix: s.Get("fix"), Count: p.int(s, "count"),
		First: p.time(s, "first"), Last: p.time(s, "last"),
	}
}

// parseGatewayStatus reads the response to the command.
func parseGatewayStatus(m *Message) (GatewayStatus, error) {
	var p parser
	dp := m.Section("data-path")
	g := GatewayStatus{
		Version: m.Get("version"), Since: p.time(m, "since"), Config: m.Get("config"), LoadedAt: p.time(m, "loaded-at"),
		ReloadError: strings.Join(m.List("reload-errors"), "\n"), NoPolicy: m.Get("no-policy"), NoPolicyAt: p.time(m, "no-policy-at"), IKESAs: p.int(m, "ike-sas"), HalfOpen: p.int(m, "half-open"),
		ChildSAs: p.int(m, "child-sas"), DroppedEvents: p.uint64(m, "dropped-events"),
		DataPath: DataPath{
			Device: dp.Get("device"), MTU: p.int(dp, "mtu"), Workers: p.int(dp, "workers"), Sockets: dp.List("sockets"),
		},
	}
	if s := dp.Section("routing"); s != nil {
		g.DataPath.Routing = p.routing(s)
	}
	for name, s := range dp.Section("features").Sections() {
		g.DataPath.Features = append(g.DataPath.Features, Feature{
			Name: name, Used: s.Get("used") == "yes", Reason: s.Get("reason"),
		})
	}
	for direction, s := range m.Section("drops").Sections() {
		for e := range s.All() {
			g.Drops = append(g.Drops, Drop{Direction: direction, Reason: e.Name, Packets: p.uint64(s, e.Name)})
		}
	}
	g.HostWarnings = parseHostWarnings(m.Section("host-warnings"))
	g.RADIUS, g.RecordsWaiting = p.radius(m.Section("radius")), p.int(m, "records-waiting")
	g.Guesses = p.guesses(m.Section("guesses"))
	for _, s := range m.Section("strangers").Sections() {
		g.Strangers = append(g.Strangers, p.failure(s))
	}
	return g, p.err
}
