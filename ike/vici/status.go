package vici

import (
	"fmt"
	"strconv"
	"time"
)

// The extension that `esplanade status` uses: command CmdStatus streams an EventStatusConn for each connection and is
// answered with what concerns the whole gateway.
const (
	CmdStatus       = "esplanade-status"
	EventStatusConn = "esplanade-connection"
)

// Status is what `esplanade status` shows.
type Status struct {
	Gateway     GatewayStatus `json:"gateway"`
	Connections []ConnStatus  `json:"connections"`
}

// GatewayStatus is about the daemon as a whole.
type GatewayStatus struct {
	Version string    `json:"version"`
	Since   time.Time `json:"since"`
	// Config is the path of the configuration, LoadedAt when it was last loaded successfully. ReloadError is set if a
	// later attempt failed.
	Config      string    `json:"config,omitempty"`
	LoadedAt    time.Time `json:"loaded_at,omitzero"`
	ReloadError string    `json:"reload_error,omitempty"`
	DataPath    DataPath  `json:"data_path"`
	// IKESAs, HalfOpen and ChildSAs count SAs.
	IKESAs   int `json:"ike_sas"`
	HalfOpen int `json:"half_open"`
	ChildSAs int `json:"child_sas"`
	// Drops are the packets dropped so far, by direction and reason, only those that are not zero.
	Drops []Drop `json:"drops,omitempty"`
	// NoPolicy is the last packet from the inner networks that no child selects ("203.0.113.10 > 10.20.0.1 icmp/8(0)"), and NoPolicyAt when
	// it was dropped; empty if there was none.
	NoPolicy   string    `json:"last_no_policy,omitempty"`
	NoPolicyAt time.Time `json:"last_no_policy_at,omitzero"`
	// Strangers are the latest failures that belong to no connection, such as peers that none is for.
	Strangers []FailureStatus `json:"strangers,omitempty"`
	// DroppedEvents is how many VICI events slow clients have missed.
	DroppedEvents uint64 `json:"dropped_events,omitempty"`
}

// DataPath says what the packet loop runs on.
type DataPath struct {
	Device  string   `json:"device"` // "ipsec0", "netstack"
	MTU     int      `json:"mtu"`
	Workers int      `json:"workers"`
	Sockets []string `json:"sockets"` // "192.0.2.1:500", …
	// Routing is what had to be put back of the device, its addresses, routes and rules; nil if nothing ever vanished.
	Routing *Routing `json:"routing,omitempty"`
	// Features are the kernel features that were probed, in the order they were.
	Features []Feature `json:"features"`
}

// Routing is what somebody else has taken away from the host's routing, and was put back.
type Routing struct {
	Restored map[string]uint64 `json:"restored"` // by what it was: "device", "addresses", "routes", "rules"
	Last     time.Time         `json:"last"`
	// Contested says that it is taken away again and again.
	Contested bool `json:"contested"`
	// Missing is why something could not be put back.
	Missing string `json:"missing,omitempty"`
}

// Feature is a facility of the kernel that the data path can use.
type Feature struct {
	// Name is that of the switch in the configuration, where there is one: "gso".
	Name string `json:"name"`
	Used bool   `json:"used"`
	// Reason says why it is not used, or how it is.
	Reason string `json:"reason,omitempty"`
}

// Drop counts packets dropped for a reason.
type Drop struct {
	Direction string `json:"direction"` // "in" or "out"
	Reason    string `json:"reason"`
	Packets   uint64 `json:"packets"`
}

// ConnStatus is a connection: what is wanted, what is, and what is in between.
type ConnStatus struct {
	Name string `json:"name"`
	// Local and Remote are the endpoints, in use or as configured.
	Local  string `json:"local"`
	Remote string `json:"remote"`
	// LocalID and RemoteID are the identities, shown or as configured.
	LocalID  string `json:"local_id,omitempty"`
	RemoteID string `json:"remote_id,omitempty"`
	// Proposal is what was negotiated, as a proposal string; empty while there is no IKE SA.
	Proposal string `json:"proposal,omitempty"`
	// Resumed: the IKE SA was set up with a session ticket.
	Resumed bool `json:"resumed,omitempty"`
	// PPK names the post-quantum preshared key that the keys depend on; empty for none.
	PPK string `json:"ppk,omitempty"`
	// NAT is which side has a NAT in front of it, forced encapsulation apart: "none", "local", "remote", "both" or "unknown"; empty while
	// there is no IKE SA. NATText is the same for people, with who forces ESP in UDP.
	NAT     string `json:"nat,omitempty"`
	NATText string `json:"nat_text,omitempty"`
	State   State  `json:"state"`
	// MOBIKE: the addresses may change. LocalAddrs and RemoteAddrs are those that, in addition to the ones in use, the other side was
	// told of.
	MOBIKE      bool          `json:"mobike,omitempty"`
	LocalAddrs  []string      `json:"local_addrs,omitempty"`
	RemoteAddrs []string      `json:"remote_addrs,omitempty"`
	Children    []ChildStatus `json:"children"`
	// Peers are its IKE_SAs, oldest first. The fields above are those of the newest that is established.
	Peers []PeerStatus `json:"peers"`
}

// ChildStatus is a child of a connection.
type ChildStatus struct {
	Name     string   `json:"name"`
	State    State    `json:"state"`
	LocalTS  []string `json:"local_ts"`
	RemoteTS []string `json:"remote_ts"`
	// Proposal is what was negotiated for the newest CHILD_SA; empty while there is none.
	Proposal string `json:"proposal,omitempty"`
	// SAs is how many CHILD_SAs there are. The counters are of all of them since the child came up.
	SAs        int    `json:"sas"`
	BytesIn    uint64 `json:"bytes_in"`
	PacketsIn  uint64 `json:"packets_in"`
	BytesOut   uint64 `json:"bytes_out"`
	PacketsOut uint64 `json:"packets_out"`
	// Path is the path of its CHILD_SAs, nil while there is none.
	Path *PathStatus `json:"path,omitempty"`
}

// PathStatus is what is known of the path to a peer.
type PathStatus struct {
	// MTU is the largest outer packet that it takes, in bytes, and Inner the largest packet that fits within the tunnel.
	MTU   int `json:"mtu"`
	Inner int `json:"inner_mtu"`
	// LoweredBy says how it was found out that it takes less than this host's interface: [ByICMP], [ByBlackHole], or "" if it does not.
	// Since says when.
	LoweredBy string    `json:"lowered_by,omitempty"`
	Since     time.Time `json:"since,omitzero"`
}

// How a lowered MTU was found out.
const (
	// ByICMP: an ICMP message has said it. The hosts behind the gateway are told, and nothing has to be done.
	ByICMP = "icmp"
	// ByBlackHole: larger packets vanish, and no ICMP message says so.
	ByBlackHole = "black hole"
)

// State is the state of a connection or child.
type State struct {
	// Desired is "up", "on traffic" or "on command".
	Desired string `json:"desired"`
	// Current is "up", "connecting", "waiting", "trapped", "down" or "dead": the peer has not answered for the ordinary time, and is
	// waited for.
	Current string `json:"current"`
	// Since is when it became so.
	Since time.Time `json:"since,omitzero"`
	// WaitsFor says in words what has to happen next: "a retry at 10:03:12", "a packet", "the peer's IKE_AUTH".
	WaitsFor string `json:"waits_for,omitempty"`
	// NextTry and NextRekey are when these are due; zero if they are not.
	NextTry   time.Time `json:"next_try,omitzero"`
	NextRekey time.Time `json:"next_rekey,omitzero"`
	// Heard is when the last authentic IKE message or ESP packet came from the peer, while there is an IKE SA; zero for never.
	Heard time.Time `json:"heard,omitzero"`
	// Silence is set while the peer does not answer: in "connecting", "up" and "dead".
	Silence *Silence `json:"silence,omitempty"`
	// Remarks are troubles that do not change the state, each with its first time, as long as they last.
	Remarks []FailureStatus `json:"remarks,omitempty"`
	// LastFailure is the latest failure since it was last up.
	LastFailure *FailureStatus `json:"last_failure,omitempty"`
	// Aside is the latest failure of an attempt in addition to what is up, which it leaves as it is; set in "up" only.
	Aside *FailureStatus `json:"aside,omitempty"`
}

// Silence is a request without an answer, from its second repetition until the answer comes.
type Silence struct {
	// Request is what was asked: "IKE_SA_INIT", "liveness check".
	Request string `json:"request"`
	// Since is when it was sent first, Repeated how often it was sent again, of Tries before the peer counts as dead, or the attempt as
	// failed.
	Since    time.Time `json:"since"`
	Repeated int       `json:"repeated"`
	Tries    int       `json:"tries"`
	// Failure is what it comes to if no answer comes: provisional, until the state is "dead".
	Failure *FailureStatus `json:"failure"`
}

// FailureStatus is a failure and how often it happened.
type FailureStatus struct {
	Code string `json:"code"` // "E-PROPOSAL-IKE"
	// Text is the failure without its fix, on one line.
	Text  string    `json:"text"`
	Fix   string    `json:"fix"`
	Count int       `json:"count"`
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}

// message is the event for a connection.
func (c *ConnStatus) message() *Message {
	m := new(Message)
	s := m.Sub(c.Name)
	s.Set("local", c.Local)
	s.Set("remote", c.Remote)
	s.SetNonEmpty("local-id", c.LocalID)
	s.SetNonEmpty("remote-id", c.RemoteID)
	s.SetNonEmpty("proposal", c.Proposal)
	s.SetNonEmpty("ppk", c.PPK)
	s.SetNonEmpty("nat", c.NAT)
	s.SetNonEmpty("nat-text", c.NATText)
	s.SetYes("mobike", c.MOBIKE)
	s.SetListNonEmpty("local-addrs", c.LocalAddrs...)
	s.SetListNonEmpty("remote-addrs", c.RemoteAddrs...)
	s.SetYes("resumed", c.Resumed)
	c.State.fill(s)
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
	m.SetNonEmpty("reload-error", cut(g.ReloadError, maxText))
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
			Name: name, Local: s.Get("local"), Remote: s.Get("remote"),
			LocalID: s.Get("local-id"), RemoteID: s.Get("remote-id"), Proposal: s.Get("proposal"), PPK: s.Get("ppk"), State: p.state(s),
			MOBIKE: s.Get("mobike") == "yes", LocalAddrs: s.List("local-addrs"), RemoteAddrs: s.List("remote-addrs"),
			Resumed: s.Get("resumed") == "yes", NAT: s.Get("nat"), NATText: s.Get("nat-text"),
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
		ReloadError: m.Get("reload-error"), NoPolicy: m.Get("no-policy"), NoPolicyAt: p.time(m, "no-policy-at"), IKESAs: p.int(m, "ike-sas"), HalfOpen: p.int(m, "half-open"),
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
	for _, s := range m.Section("strangers").Sections() {
		g.Strangers = append(g.Strangers, p.failure(s))
	}
	return g, p.err
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
