package vici

import (
	"net/netip"
	"strconv"
	"time"
)

// The states of IKE_SAs in strongSwan's words.
const (
	IKECreated     = "CREATED"
	IKEConnecting  = "CONNECTING"
	IKEEstablished = "ESTABLISHED"
	IKERekeying    = "REKEYING"
	IKERekeyed     = "REKEYED"
	IKEDeleting    = "DELETING"
)

// The states of CHILD_SAs in strongSwan's words.
const (
	ChildCreated    = "CREATED"
	ChildRouted     = "ROUTED"
	ChildInstalling = "INSTALLING"
	ChildInstalled  = "INSTALLED"
	ChildUpdating   = "UPDATING"
	ChildRekeying   = "REKEYING"
	ChildRekeyed    = "REKEYED"
	ChildRetrying   = "RETRYING"
	ChildDeleting   = "DELETING"
	ChildDeleted    = "DELETED"
)

// Algorithms names the algorithms of an SA by IANA's names without key length or prefix of the transform type, as
// strongSwan shows them: "AES_GCM_16", "HMAC_SHA2_256_128", "PRF_HMAC_SHA2_384", "ECP_384". What is empty or zero is
// left out; there is no Integ with an AEAD, and a KeySize only where the transform has the attribute.
type Algorithms struct {
	Encr         string
	EncrKeySize  int // bits
	Integ        string
	IntegKeySize int // bits
	PRF          string
	KE           string
	// AdditionalKE are the additional key exchanges of RFC 9370, ADDKE1 first; empty where there is none.
	AdditionalKE [7]string
}

// IKESA is an IKE_SA as `list-sas` shows it.
type IKESA struct {
	// Name is that of the connection.
	Name     string
	UniqueID uint32
	Version  int // 2
	State    string
	// Local and Remote are the endpoints in use; LocalID and RemoteID the identities as text.
	Local, Remote     netip.AddrPort
	LocalID, RemoteID string
	// RemoteEAPID is the EAP identity, if it differs from RemoteID.
	RemoteEAPID string
	// Initiator: this side is the initiator of this IKE_SA (after a rekeying, of that).
	Initiator                  bool
	InitiatorSPI, ResponderSPI uint64
	// NATLocal, NATRemote: that side is behind a NAT. NATFake: encapsulation was forced by faking one.
	// NATAny: any of them, or the peer pretends.
	NATLocal, NATRemote, NATFake, NATAny bool
	// Resumed: it was set up with a session ticket (RFC 5723). strongSwan has no such key.
	Resumed    bool
	Algorithms Algorithms
	// PPK: a post-quantum preshared key was used.
	PPK bool
	// DowngradePrevention: both sides have authenticated the whole IKE_SA_INIT exchange. strongSwan has no such field.
	DowngradePrevention bool
	// Established is when the SA was; RekeyAt and ReauthAt when that is due. Zero: not (or never).
	Established, RekeyAt, ReauthAt time.Time
	LocalVIPs, RemoteVIPs          []netip.Addr
	// The tasks in strongSwan's words: IKE_INIT, IKE_AUTH, CHILD_CREATE, CHILD_REKEY, IKE_DPD, …
	TasksQueued, TasksActive, TasksPassive []string
	Children                               []ChildSA
}

// ChildSA is a CHILD_SA as `list-sas` shows it.
type ChildSA struct {
	Name     string
	UniqueID uint32
	ReqID    uint32
	State    string
	// Mode is TUNNEL or TRANSPORT, Protocol ESP.
	Mode, Protocol string
	// Encap: ESP travels in UDP.
	Encap         bool
	SPIIn, SPIOut uint32
	Algorithms    Algorithms
	ESN           bool
	// The counters; LastIn and LastOut are zero if there was no packet.
	BytesIn, PacketsIn, BytesOut, PacketsOut uint64
	LastIn, LastOut                          time.Time
	// RekeyAt is when rekeying is due, ExpiresAt when the SA ends. Zero: never.
	RekeyAt, ExpiresAt, Installed time.Time
	// LocalTS and RemoteTS are the selectors in swanctl's notation.
	LocalTS, RemoteTS []string
}

// secondsSince and secondsUntil count whole seconds, as strongSwan does; something overdue is negative.
func secondsSince(t, now time.Time) string {
	return strconv.FormatInt(int64(now.Sub(t)/time.Second), 10)
}

func secondsUntil(t, now time.Time) string {
	return strconv.FormatInt(int64(t.Sub(now)/time.Second), 10)
}

// fill writes the SA without its children into section m, in strongSwan's order.
func (sa *IKESA) fill(m *Message, now time.Time) {
	m.Setf("uniqueid", "%d", sa.UniqueID)
	m.Setf("version", "%d", sa.Version)
	m.Set("state", sa.State)
	setHost(m, "local", sa.Local)
	m.Set("local-id", sa.LocalID)
	setHost(m, "remote", sa.Remote)
	m.Set("remote-id", sa.RemoteID)
	m.SetNonEmpty("remote-eap-id", sa.RemoteEAPID)
	m.SetYes("initiator", sa.Initiator)
	m.Setf("initiator-spi", "%016x", sa.InitiatorSPI)
	m.Setf("responder-spi", "%016x", sa.ResponderSPI)
	m.SetYes("nat-local", sa.NATLocal)
	m.SetYes("nat-remote", sa.NATRemote)
	m.SetYes("nat-fake", sa.NATFake)
	m.SetYes("nat-any", sa.NATAny)
	sa.Algorithms.fill(m)
	m.SetYes("ppk", sa.PPK)
	m.SetYes("downgrade-prevention", sa.DowngradePrevention)
	m.SetYes("resumed", sa.Resumed)
	if sa.State == IKEEstablished && !sa.Established.IsZero() {
		m.Set("established", secondsSince(sa.Established, now))
		setUntil(m, "rekey-time", sa.RekeyAt, now)
		setUntil(m, "reauth-time", sa.ReauthAt, now)
	}
	m.SetListNonEmpty("local-vips", addrs(sa.LocalVIPs)...)
	m.SetListNonEmpty("remote-vips", addrs(sa.RemoteVIPs)...)
	m.SetListNonEmpty("tasks-queued", sa.TasksQueued...)
	m.SetListNonEmpty("tasks-active", sa.TasksActive...)
	m.SetListNonEmpty("tasks-passive", sa.TasksPassive...)
}

// fill writes the child into section m, in strongSwan's order. Only a child that is installed, or was, has SPIs,
// algorithms and counters.
func (c *ChildSA) fill(m *Message, now time.Time) {
	m.Set("name", c.Name)
	m.Setf("uniqueid", "%d", c.UniqueID)
	m.Setf("reqid", "%d", c.ReqID)
	m.Set("state", c.State)
	m.Set("mode", c.Mode)
	switch c.State {
	case ChildInstalled, ChildUpdating, ChildRekeying, ChildRekeyed, ChildDeleting, ChildDeleted:
		m.Set("protocol", c.Protocol)
		m.SetYes("encap", c.Encap)
		m.Setf("spi-in", "%08x", c.SPIIn)
		m.Setf("spi-out", "%08x", c.SPIOut)
		c.Algorithms.fill(m)
		if c.ESN {
			m.Set("esn", "1")
		}
		m.Setf("bytes-in", "%d", c.BytesIn)
		m.Setf("packets-in", "%d", c.PacketsIn)
		setSince(m, "use-in", c.LastIn, now)
		m.Setf("bytes-out", "%d", c.BytesOut)
		m.Setf("packets-out", "%d", c.PacketsOut)
		setSince(m, "use-out", c.LastOut, now)
		setUntil(m, "rekey-time", c.RekeyAt, now)
		setUntil(m, "life-time", c.ExpiresAt, now)
		setSince(m, "install-time", c.Installed, now)
	}
	m.SetList("local-ts", c.LocalTS...)
	m.SetList("remote-ts", c.RemoteTS...)
}

func (a *Algorithms) fill(m *Message) {
	m.SetNonEmpty("encr-alg", a.Encr)
	if a.Encr != "" && a.EncrKeySize > 0 {
		m.Setf("encr-keysize", "%d", a.EncrKeySize)
	}
	m.SetNonEmpty("integ-alg", a.Integ)
	if a.Integ != "" && a.IntegKeySize > 0 {
		m.Setf("integ-keysize", "%d", a.IntegKeySize)
	}
	m.SetNonEmpty("prf-alg", a.PRF)
	m.SetNonEmpty("dh-group", a.KE)
	for i, ke := range a.AdditionalKE {
		m.SetNonEmpty("ake"+strconv.Itoa(i+1), ke)
	}
}

// sectionName is the name of a child's section under child-sas.
func (c *ChildSA) sectionName() string {
	return c.Name + "-" + strconv.FormatUint(uint64(c.UniqueID), 10)
}

// message is a list-sa event: the SA with the given children. The section child-sas is always there and always last:
// swanctl prints the IKE_SA when it meets it.
func (sa *IKESA) message(children []ChildSA, now time.Time) *Message {
	m := new(Message)
	s := m.Sub(sa.Name)
	sa.fill(s, now)
	cs := s.Sub("child-sas")
	for i := range children {
		children[i].fill(cs.Sub(children[i].sectionName()), now)
	}
	return m
}

// ikeUpdown is an ike-updown event. It has no child-sas section, as with strongSwan; `swanctl --monitor-sa` therefore
// shows it with --raw only, and the child-updown events, which it does show, carry the IKE_SA too.
func ikeUpdown(sa *IKESA, up bool, now time.Time) *Message {
	m := new(Message)
	m.SetYes("up", up)
	sa.fill(m.Sub(sa.Name), now)
	return m
}

// childUpdown is a child-updown event: the SA with the one child.
func childUpdown(sa *IKESA, child *ChildSA, up bool, now time.Time) *Message {
	m := new(Message)
	m.SetYes("up", up)
	s := m.Sub(sa.Name)
	sa.fill(s, now)
	child.fill(s.Sub("child-sas").Sub(child.sectionName()), now)
	return m
}

// ikeRekey is an ike-rekey event.
func ikeRekey(old, new_ *IKESA, now time.Time) *Message {
	m := new(Message)
	s := m.Sub(old.Name)
	old.fill(s.Sub("old"), now)
	new_.fill(s.Sub("new"), now)
	return m
}

// ikeUpdate is an ike-update event: the addresses of now, and the SA with those of before.
func ikeUpdate(sa *IKESA, local, remote netip.AddrPort, now time.Time) *Message {
	m := new(Message)
	setHost(m, "local", local)
	setHost(m, "remote", remote)
	sa.fill(m.Sub(sa.Name), now)
	return m
}

// childRekey is a child-rekey event.
func childRekey(sa *IKESA, old, new_ *ChildSA, now time.Time) *Message {
	m := new(Message)
	s := m.Sub(sa.Name)
	sa.fill(s, now)
	c := s.Sub("child-sas").Sub(old.Name)
	old.fill(c.Sub("old"), now)
	new_.fill(c.Sub("new"), now)
	return m
}

// alert is an alert event; sa may be nil.
func alert(typ string, sa *IKESA, now time.Time) *Message {
	m := new(Message)
	m.Set("type", typ)
	if sa != nil {
		sa.fill(m.Sub("ike-sa").Sub(sa.Name), now)
	}
	return m
}

func setHost(m *Message, side string, a netip.AddrPort) {
	host := "%any"
	if a.Addr().IsValid() {
		host = a.Addr().Unmap().String()
	}
	m.Set(side+"-host", host)
	m.Setf(side+"-port", "%d", a.Port())
}

func setSince(m *Message, name string, t, now time.Time) {
	if !t.IsZero() {
		m.Set(name, secondsSince(t, now))
	}
}

func setUntil(m *Message, name string, t, now time.Time) {
	if !t.IsZero() {
		m.Set(name, secondsUntil(t, now))
	}
}

func addrs(as []netip.Addr) []string {
	s := make([]string, len(as))
	for i, a := range as {
		s[i] = a.Unmap().String()
	}
	return s
}
