package hooks

import (
	"fmt"
	"net/netip"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// schemaVersion is the version of the lines. A field that is added does not change it; one that goes, or means something else, does.
const schemaVersion = 1

// The events, as docs/events.md describes them.
const (
	EventHello           = "hello" // the first line that a reader gets
	EventIKEUp           = "ike-up"
	EventIKEDown         = "ike-down"
	EventIKERekeyed      = "ike-rekeyed"
	EventIKEMoved        = "ike-moved"
	EventChildUp         = "child-up"
	EventChildDown       = "child-down"
	EventChildRekeyed    = "child-rekeyed"
	EventChildNarrowed   = "child-narrowed"
	EventUserLogin       = "user-login"
	EventUserLogout      = "user-logout"
	EventUserFailed      = "user-failed"
	EventAddressLeased   = "address-leased"
	EventAddressReleased = "address-released"
	EventFailure         = "failure"
	EventReloaded        = "reloaded"
	EventReloadFailed    = "reload-failed"
	EventDropped         = "dropped"
)

// Record is a line. What an event does not have is left out.
type Record struct {
	Version int       `json:"version"`
	Seq     uint64    `json:"seq,omitempty"`
	Time    time.Time `json:"time"`
	Event   string    `json:"event"`
	Daemon  string    `json:"daemon,omitempty"`

	Connection string       `json:"connection,omitempty"`
	IKE        *IKERecord   `json:"ike,omitempty"`
	OldIKE     *IKERecord   `json:"old_ike,omitempty"`
	Child      *ChildRecord `json:"child,omitempty"`
	OldChild   *ChildRecord `json:"old_child,omitempty"`
	From       *PathRecord  `json:"from,omitempty"`
	Reason     string       `json:"reason,omitempty"`

	User      string   `json:"user,omitempty"`
	Owner     string   `json:"owner,omitempty"`
	Addresses []string `json:"addresses,omitempty"`

	Failure *FailureRecord `json:"failure,omitempty"`
	Changes []string       `json:"changes,omitempty"`
	Errors  []string       `json:"errors,omitempty"`
	Dropped uint64         `json:"dropped,omitempty"`
}

// PathRecord is a pair of outer addresses with their ports.
type PathRecord struct {
	Local  string `json:"local"`
	Remote string `json:"remote"`
}

// IKERecord is an IKE SA.
type IKERecord struct {
	ID         uint64   `json:"id"`
	SPIi       string   `json:"spi_i,omitempty"`
	SPIr       string   `json:"spi_r,omitempty"`
	Local      string   `json:"local,omitempty"`
	Remote     string   `json:"remote,omitempty"`
	LocalID    string   `json:"local_id,omitempty"`
	RemoteID   string   `json:"remote_id,omitempty"`
	Initiator  bool     `json:"initiator,omitempty"`
	Proposal   string   `json:"proposal,omitempty"`
	NAT        string   `json:"nat,omitempty"`
	Resumed    bool     `json:"resumed,omitempty"`
	User       string   `json:"user,omitempty"`
	Method     string   `json:"method,omitempty"`
	Groups     []string `json:"groups,omitempty"`
	LocalVIPs  []string `json:"local_vips,omitempty"`
	RemoteVIPs []string `json:"remote_vips,omitempty"`
}

// ChildRecord is a CHILD SA.
type ChildRecord struct {
	Name       string   `json:"name"`
	ID         uint64   `json:"id"`
	ReqID      uint32   `json:"reqid"`
	SPIIn      string   `json:"spi_in"`
	SPIOut     string   `json:"spi_out"`
	Proposal   string   `json:"proposal"`
	UDP        bool     `json:"udp,omitempty"`
	LocalTS    []string `json:"local_ts"`
	RemoteTS   []string `json:"remote_ts"`
	BytesIn    uint64   `json:"bytes_in,omitempty"`
	PacketsIn  uint64   `json:"packets_in,omitempty"`
	BytesOut   uint64   `json:"bytes_out,omitempty"`
	PacketsOut uint64   `json:"packets_out,omitempty"`
}

// FailureRecord is a failure, as the log and the status have it.
type FailureRecord struct {
	Code     string `json:"code"`
	Text     string `json:"text"`
	Fix      string `json:"fix,omitempty"`
	Child    string `json:"child,omitempty"`
	Exchange string `json:"exchange,omitempty"`
	Local    string `json:"local,omitempty"`
	Remote   string `json:"remote,omitempty"`
	PeerID   string `json:"peer_id,omitempty"`
	ByPeer   bool   `json:"by_peer,omitempty"`
	Stranger bool   `json:"stranger,omitempty"`
	Repeated bool   `json:"repeated,omitempty"`
}

// item is something that has happened, on its way to the readers.
type item struct {
	at    time.Time
	event any // a gateway.Event, or a reloading
	// counters are those of the CHILD SA that has gone or was replaced.
	counters gateway.Counters
}

// reloading is that the configuration was loaded again, or was not.
type reloading struct {
	changes []string
	errors  []string
}

// wanted reports whether an event of the gateway is one that readers are told. Keys never are.
func wanted(e gateway.Event) bool {
	switch e.(type) {
	case gateway.IKEUpdown, gateway.ChildUpdown, gateway.IKERekeyed, gateway.ChildRekeyed, gateway.IKEMoved, gateway.Failed,
		gateway.AddressLeased, gateway.AddressReleased:
		return true
	}
	return false
}

// records are the lines for what has happened, without their numbers.
func (i item) records() []Record {
	r := Record{Version: schemaVersion, Time: i.at}
	switch e := i.event.(type) {
	case gateway.IKEUpdown:
		r.Event, r.Connection, r.IKE, r.Reason = upDown(e.Up, EventIKEUp, EventIKEDown), e.SA.Connection, ikeRecord(e.SA), e.Reason
		if e.SA.User == "" || e.SA.Client {
			return []Record{r}
		}
		u := r
		u.Event, u.User = upDown(e.Up, EventUserLogin, EventUserLogout), e.SA.User
		return []Record{r, u}
	case gateway.IKERekeyed:
		r.Event, r.Connection, r.IKE, r.OldIKE = EventIKERekeyed, e.New.Connection, ikeRecord(e.New), ikeRecord(e.Old)
	case gateway.IKEMoved:
		r.Event, r.Connection, r.IKE = EventIKEMoved, e.SA.Connection, ikeRecord(e.SA)
		r.From = &PathRecord{Local: e.From.Local.String(), Remote: e.From.Remote.String()}
	case gateway.ChildUpdown:
		r.Event, r.Connection, r.IKE, r.Reason = upDown(e.Up, EventChildUp, EventChildDown), e.SA.Connection, ikeRecord(e.SA), e.Reason
		r.Child = childRecord(e.Child, i.counters)
	case gateway.ChildRekeyed:
		r.Event, r.Connection, r.IKE = EventChildRekeyed, e.SA.Connection, ikeRecord(e.SA)
		r.Child, r.OldChild = childRecord(e.New, gateway.Counters{}), childRecord(e.Old, i.counters)
	case gateway.AddressLeased:
		r.Event, r.Connection, r.Owner, r.Addresses = EventAddressLeased, e.Connection, e.Owner, addresses(e.Addresses)
		r.IKE = &IKERecord{ID: e.IKE, Remote: e.Remote.String()}
	case gateway.AddressReleased:
		r.Event, r.Connection, r.Owner, r.Addresses = EventAddressReleased, e.Connection, e.Owner, addresses(e.Addresses)
		r.IKE = &IKERecord{ID: e.IKE}
	case gateway.Failed:
		f := e.Failure
		r.Event, r.Connection, r.User, r.Failure = EventFailure, f.Connection, f.User, failureRecord(f, e.Repeat)
		switch {
		case f.Code == diag.CodeNarrowed:
			r.Event = EventChildNarrowed
		case f.User != "":
			r.Event = EventUserFailed
		}
	case reloading:
		r.Event, r.Changes, r.Errors = EventReloaded, e.changes, e.errors
		if len(e.errors) > 0 {
			r.Event = EventReloadFailed
		}
	}
	return []Record{r}
}

func upDown(is bool, up, down string) string {
	if is {
		return up
	}
	return down
}

func ikeRecord(s sa.Snapshot) *IKERecord {
	return &IKERecord{
		ID: s.ID, SPIi: fmt.Sprintf("%016x", uint64(s.SPIi)), SPIr: fmt.Sprintf("%016x", uint64(s.SPIr)), Local: s.Path.Local.String(), Remote: s.Path.Remote.String(),
		LocalID: s.LocalID.String(), RemoteID: s.RemoteID.String(), Initiator: s.Initiator, Proposal: s.Chosen.String(), NAT: s.NAT.Word(), Resumed: s.Resumed,
		User: s.User, Method: s.UserMethod, Groups: s.UserGroups, LocalVIPs: addresses(s.LocalVIPs), RemoteVIPs: addresses(s.RemoteVIPs),
	}
}

func childRecord(c sa.ChildSnapshot, n gateway.Counters) *ChildRecord {
	return &ChildRecord{
		Name: c.Name, ID: c.ID, ReqID: c.ReqID, SPIIn: fmt.Sprintf("%08x", c.LocalSPI), SPIOut: fmt.Sprintf("%08x", c.RemoteSPI), Proposal: c.Chosen.String(), UDP: c.UDP,
		LocalTS: selectors(c.TS.Local), RemoteTS: selectors(c.TS.Remote),
		BytesIn: n.InBytes, PacketsIn: n.InPackets, BytesOut: n.OutBytes, PacketsOut: n.OutPackets,
	}
}

func failureRecord(f *diag.Failure, repeated bool) *FailureRecord {
	r := &FailureRecord{
		Code: string(f.Code), Text: f.Summary(), Fix: f.Advice(), Child: f.Child, Exchange: f.Exchange, PeerID: f.PeerID, ByPeer: f.ByPeer, Stranger: f.Stranger, Repeated: repeated,
	}
	if f.Local.IsValid() {
		r.Local = f.Local.String()
	}
	if f.Remote.IsValid() {
		r.Remote = f.Remote.String()
	}
	return r
}

func addresses(list []netip.Addr) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

func selectors(list []selector.Selector) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, s.String())
	}
	return out
}
