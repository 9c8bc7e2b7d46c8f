package main

import (
	"slices"
	"time"

	"esplanade/ike/vici"
)

// statusReport is what `status --json` prints. Keys are only ever added to it.
type statusReport struct {
	Gateway     vici.GatewayStatus `json:"gateway"`
	Connections []connReport       `json:"connections"`
	// Unmatched are the latest failures that belong to no connection, in the same form as those that do.
	Unmatched []*failureReport `json:"unmatched"`
}

// stateReport is the common part of connections and children.
type stateReport struct {
	// Desired is "up", "on traffic" or "on command"; State "up", "connecting", "waiting", "trapped", "down" or "dead".
	Desired   string         `json:"desired"`
	State     string         `json:"state"`
	Since     time.Time      `json:"since,omitzero"`
	WaitsFor  string         `json:"waits_for,omitempty"`
	NextTry   time.Time      `json:"next_try,omitzero"`
	NextRekey time.Time      `json:"next_rekey,omitzero"`
	Failure   *failureReport `json:"failure"`
	// Aside is the latest failure of an attempt in addition to what is up, which it leaves as it is.
	Aside *failureReport `json:"aside,omitempty"`
	// Heard is when the peer was last heard from; Silence is set while it does not answer; Remarks are troubles that do not change the
	// state.
	Heard   time.Time        `json:"heard,omitzero"`
	Silence *silenceReport   `json:"silence,omitempty"`
	Remarks []*failureReport `json:"remarks,omitempty"`
}

// silenceReport is a request without an answer. Failure is provisional until the state is "dead".
type silenceReport struct {
	Request  string         `json:"request"`
	Since    time.Time      `json:"since"`
	Repeated int            `json:"repeated"`
	Tries    int            `json:"tries"`
	Failure  *failureReport `json:"failure"`
}

// isSaid reports whether what the silence comes to is the last failure already: an ICMP error is one as soon as it comes.
func (q *silenceReport) isSaid(last *failureReport) bool {
	return last != nil && q.Failure != nil && last.Message == q.Failure.Message
}

type failureReport struct {
	Code string `json:"code"`
	// Message is the line that the log and swanctl show.
	Message string    `json:"message"`
	Fix     string    `json:"fix"`
	Count   int       `json:"count"`
	First   time.Time `json:"first,omitzero"`
	Last    time.Time `json:"last,omitzero"`
}

type connReport struct {
	Name string `json:"name"`
	// Origin is where it is configured: "FILE:LINE", or "VICI".
	Origin   string `json:"origin,omitempty"`
	Local    string `json:"local"`
	Remote   string `json:"remote"`
	LocalID  string `json:"local_id"`
	RemoteID string `json:"remote_id"`
	Proposal string `json:"proposal,omitempty"`
	PPK      string `json:"ppk,omitempty"`
	Resumed  bool   `json:"resumed,omitempty"`
	// DowngradePrevention: both sides have authenticated the whole IKE_SA_INIT exchange.
	DowngradePrevention bool `json:"downgrade_prevention,omitempty"`
	// NAT is which side has a NAT in front of it: "none", "local", "remote", "both" or "unknown".
	NAT     string `json:"nat,omitempty"`
	natText string
	stateReport
	// MOBIKE: the addresses may change. LocalAddrs and RemoteAddrs are those that the other side was told of in addition to the ones
	// in use.
	MOBIKE      bool          `json:"mobike"`
	LocalAddrs  []string      `json:"local_addrs,omitempty"`
	RemoteAddrs []string      `json:"remote_addrs,omitempty"`
	Children    []childReport `json:"children"`
	// Client is what it has been given as a client of a gateway.
	Client *vici.ClientStatus `json:"client,omitempty"`
	// Peers are its IKE SAs. What is above is of the newest that is established. many: there may be more than one.
	Peers []peerReport `json:"peers"`
	many  bool
	// HalfOpen is how many peers have begun an IKE SA that resembles it and have not authenticated, of which Peers has a few; Refused how
	// many were refused while others were up.
	HalfOpen int `json:"half_open"`
	Refused  int `json:"refused"`
}

// peerReport is an IKE SA with its CHILD SAs.
type peerReport struct {
	vici.PeerStatus
	// Silence takes the place of that of PeerStatus, in the form that the states have.
	Silence *silenceReport `json:"silence,omitempty"`
}

type saReport = vici.SAStatus

// carried is what has gone through the CHILD SAs of a child, in and out.
func (p *peerReport) carried(child string) (in, out uint64) {
	for _, t := range p.Traffic {
		if t.Child == child {
			return t.BytesIn, t.BytesOut
		}
	}
	return 0, 0
}

type childReport struct {
	Name string `json:"name"`
	stateReport
	LocalTS    []string `json:"local_ts"`
	RemoteTS   []string `json:"remote_ts"`
	Proposal   string   `json:"proposal,omitempty"`
	SAs        int      `json:"sas"`
	BytesIn    uint64   `json:"bytes_in"`
	PacketsIn  uint64   `json:"packets_in"`
	BytesOut   uint64   `json:"bytes_out"`
	PacketsOut uint64   `json:"packets_out"`
	// Path is the path of its SAs, nil while there is none.
	Path *vici.PathStatus `json:"path,omitempty"`
}

func newStatusReport(s vici.Status) statusReport {
	r := statusReport{Gateway: s.Gateway, Connections: []connReport{}, Unmatched: []*failureReport{}}
	for _, f := range s.Gateway.Strangers {
		r.Unmatched = append(r.Unmatched, newFailureReport(f))
	}
	r.Gateway.Strangers = nil // shown as Unmatched
	for _, c := range s.Connections {
		cr := connReport{
			Name: c.Name, Origin: c.Origin, Local: c.Local, Remote: c.Remote, LocalID: c.LocalID, RemoteID: c.RemoteID, Proposal: c.Proposal, PPK: c.PPK,
			DowngradePrevention: c.DowngradePrevention, Resumed: c.Resumed, NAT: c.NAT, natText: c.NATText,
			stateReport: newStateReport(c.State), Children: []childReport{}, Peers: []peerReport{},
			MOBIKE: c.MOBIKE, LocalAddrs: c.LocalAddrs, RemoteAddrs: c.RemoteAddrs,
			HalfOpen: c.HalfOpen, Refused: c.Refused, Client: c.Client,
		}
		for _, h := range c.Children {
			cr.Children = append(cr.Children, childReport{
				Name: h.Name, stateReport: newStateReport(h.State), LocalTS: h.LocalTS, RemoteTS: h.RemoteTS, Proposal: h.Proposal, SAs: h.SAs,
				BytesIn: h.BytesIn, PacketsIn: h.PacketsIn, BytesOut: h.BytesOut, PacketsOut: h.PacketsOut, Path: h.Path,
			})
		}
		for _, p := range c.Peers {
			cr.Peers = append(cr.Peers, peerReport{p, newSilenceReport(p.Silence)})
		}
		cr.many = cr.differ()
		r.Connections = append(r.Connections, cr)
	}
	return r
}

// differ reports whether its IKE SAs are with peers of different identities. Those that are not authenticated yet have none.
func (c *connReport) differ() bool {
	var first *peerReport
	return slices.ContainsFunc(c.Peers, func(p peerReport) bool {
		switch {
		case p.State == "connecting":
			return false
		case first == nil:
			first = &p
		}
		return p.who() != first.who()
	})
}

// strangers counts the half-open IKE SAs that Peers has.
func (c *connReport) strangers() (n int) {
	for _, p := range c.Peers {
		if p.State == "connecting" && !p.Initiator {
			n++
		}
	}
	return n
}

func newStateReport(s vici.State) stateReport {
	r := stateReport{
		Desired: s.Desired, State: s.Current, Since: s.Since, WaitsFor: s.WaitsFor, NextTry: s.NextTry, NextRekey: s.NextRekey,
	}
	if f := s.LastFailure; f != nil {
		r.Failure = newFailureReport(*f)
	}
	if f := s.Aside; f != nil {
		r.Aside = newFailureReport(*f)
	}
	r.Heard = s.Heard
	r.Silence = newSilenceReport(s.Silence)
	for _, f := range s.Remarks {
		r.Remarks = append(r.Remarks, newFailureReport(f))
	}
	return r
}

func newSilenceReport(q *vici.Silence) *silenceReport {
	if q == nil {
		return nil
	}
	return &silenceReport{Request: q.Request, Since: q.Since, Repeated: q.Repeated, Tries: q.Tries, Failure: newFailureReport(*q.Failure)}
}

func newFailureReport(f vici.FailureStatus) *failureReport {
	return &failureReport{Code: f.Code, Message: f.Text, Fix: f.Fix, Count: f.Count, First: f.First, Last: f.Last}
}
