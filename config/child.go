package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"esplanade/ike/policy"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// Child is one table [connections.NAME.children.NAME]: a CHILD SA.
type Child struct {
	Source
	// Name is the table's name; Connection that of the connection it belongs to.
	Name       string `key:"-"`
	Connection string `key:"-"`
	// LocalTS and RemoteTS are the traffic it may carry. A selector for which Dynamic holds stands for the address of
	// this gateway, or of the peer, and gets it by Resolve. Default one such selector.
	LocalTS  []selector.Selector `key:"local_ts" reload:"reestablish"`
	RemoteTS []selector.Selector `key:"remote_ts" reload:"reestablish"`
	// Proposals are the ESP proposals, best first. Default proposal.Default.
	Proposals []proposal.Proposal `key:"esp_proposals" reload:"reestablish"`
	// Mode is tunnel.
	Mode policy.Mode `key:"mode" reload:"reestablish"`
	// RekeyTime is the age at which the SA is rekeyed; 0 never. Default 1h, or nine tenths of LifeTime if only that is
	// written.
	RekeyTime time.Duration `key:"rekey_time" reload:"live"`
	// LifeTime is the age at which the SA is deleted; 0 never. Default RekeyTime and a tenth.
	LifeTime time.Duration `key:"life_time" reload:"live"`
	// RandTime is the most that is taken off RekeyTime at random. Default LifeTime - RekeyTime.
	RandTime time.Duration `key:"rand_time" reload:"live"`
	// RekeyBytes and RekeyPackets are the traffic after which the SA is rekeyed, LifeBytes and LifePackets that after
	// which it sends no more; 0, the default, is no limit but the algorithms' own.
	RekeyBytes   uint64 `key:"rekey_bytes" reload:"live"`
	LifeBytes    uint64 `key:"life_bytes" reload:"live"`
	RekeyPackets uint64 `key:"rekey_packets" reload:"live"`
	LifePackets  uint64 `key:"life_packets" reload:"live"`
	// StartAction is the desired state. Default StartStart; StartNone for a connection that can't initiate.
	StartAction policy.StartAction `key:"start_action" reload:"live"`
	// DPDAction and CloseAction, by default StartNone, may ask for more than StartAction: see [Child.AfterDPD] and [Child.AfterClose].
	DPDAction   policy.StartAction `key:"dpd_action" reload:"live"`
	CloseAction policy.StartAction `key:"close_action" reload:"live"`
	// ReplayWindow is the size of the anti-replay window in packets, -1 for none, which is written as 0. Default 4096.
	ReplayWindow int `key:"replay_window" reload:"reestablish"`
	// Groups are those of which a user must be in one to have the child. Default none, any.
	Groups []string `key:"groups" reload:"live"`
	// Updown is the command that is called when a CHILD SA comes up and when it has gone, with strongSwan's variables. Default none.
	Updown string `key:"updown" reload:"live" default:""`
	// HostAccess is what that command finds in PLUTO_HOST_ACCESS; nothing else comes of it.
	HostAccess bool `key:"hostaccess" reload:"live" default:"false"`
	// ReqID is the number that strongSwan's tools show for the child; 0 leaves it to the daemon.
	ReqID uint32 `key:"reqid" reload:"reestablish" default:"0" range:"0..4294967295"`
}

const (
	defaultChildRekeyTime = time.Hour
	defaultReplayWindow   = 4096
	// maxReplayWindow is the largest window there can be.
	maxReplayWindow = 1 << 20
)

// DynamicLocal reports whether the child carries this gateway's own address, which is known only at the time of
// negotiation; DynamicRemote whether the peer's.
func (c *Child) DynamicLocal() bool { return hasDynamic(c.LocalTS) }

// DynamicRemote: see [Child.DynamicLocal].
func (c *Child) DynamicRemote() bool { return hasDynamic(c.RemoteTS) }

// AfterDPD is the desired state once the child has been up and the peer no longer answers, AfterClose once the peer has closed it: at
// least StartAction. A command that takes the child down is obeyed whatever they say.
func (c *Child) AfterDPD() policy.StartAction { return max(c.StartAction, c.DPDAction) }

// AfterClose: see [Child.AfterDPD].
func (c *Child) AfterClose() policy.StartAction { return max(c.StartAction, c.CloseAction) }

func hasDynamic(list []selector.Selector) bool {
	return slices.ContainsFunc(list, selector.Selector.Dynamic)
}

func readChild(t *table, name string, n *Connection, c *Config) *Child {
	h := &Child{Name: name, Connection: n.Name}
	t.fill(h)
	h.LocalTS = readSelectors(t, "local_ts")
	h.RemoteTS = readSelectors(t, "remote_ts")
	h.Proposals = readProposals(t, "esp_proposals", wire.ProtocolESP)
	warnPFS(t)
	h.Mode = readMode(t)
	checkCommand(t, "updown", h.Updown)
	h.Groups = readGroups(t)
	readChildLifetimes(t, h)
	readStartAction(t, h, n)
	readLossActions(t, h, n)
	window, at := t.integer("replay_window", defaultReplayWindow, 0, maxReplayWindow)
	if h.ReplayWindow = int(window); window == 0 {
		h.ReplayWindow = -1
		t.warnf(at, "write a number of packets such as 4096", "%s is 0: replayed packets are accepted", t.name("replay_window"))
	}
	readCopies(t, c)
	readZero(t, "priority", "the most specific remote_ts comes first; write 0 or leave it out")
	readTFC(t)
	h.Source = t.done()
	return h
}

// readMode knows strongSwan's words; only tunnel is what this version does.
func readMode(t *table) policy.Mode {
	later := []string{"transport", "transport_proxy", "iptfs", "beet"}
	switch mode := t.word("mode"); {
	case mode == "pass":
		t.valueNotSupported("mode", "remove the child, and leave its networks out of remote_ts of the others: what no child has goes out in the clear")
		return policy.ModeTunnel
	case mode == "drop":
		t.valueNotSupported("mode", "remove the child, and drop these packets with a firewall: what no child has goes out in the clear")
		return policy.ModeTunnel
	case slices.Contains(later, mode):
		t.valueNotSupported("mode", "write mode = \"tunnel\" or leave it out")
		return policy.ModeTunnel
	}
	m, _ := choice(t, "mode", policy.ModeTunnel, wordsOf[policy.Mode]())
	return m
}

// readStartAction reads the desired state. The default, to keep the tunnel up, needs somebody to call.
func readStartAction(t *table, h *Child, n *Connection) {
	def := policy.StartStart
	if !n.CanInitiate() || n.assigns() {
		def = policy.StartNone
	}
	if s := t.word("start_action"); strings.Contains(s, "|") {
		t.errorf(t.at("start_action"), "write \"start\": packets wait for the tunnel then too", "%s is %s", t.name("start_action"), quote(s))
		h.StartAction = def
		return
	}
	if here, ok := ipsecConf(t.word("start_action")); ok {
		t.errorf(t.at("start_action"), "write "+quote(here)+", which is the same", "%s is %s, a word of ipsec.conf", t.name("start_action"), quote(t.word("start_action")))
		h.StartAction = def
		return
	}
	var at Position
	h.StartAction, at = choice(t, "start_action", def, wordsOf[policy.StartAction]())
	switch {
	case h.StartAction == policy.StartNone:
	case !n.CanInitiate() && len(n.RemoteAddrs) > 0:
		t.lackf(at, "write an address or a DNS name into remote_addrs, or start_action = \"none\" to wait for the peer",
			"%s is %s, but connections.%s has no remote address to start with", t.name("start_action"),
			quote(h.StartAction.String()), n.Name)
		h.StartAction = t.orNone(h.StartAction)
	case n.assigns() && h.DynamicRemote():
		t.lackf(t.src.At("start_action"), "write start_action = \"none\", or leave it out", "%s.start_action is %s, and the peers are given addresses: it comes up when they call",
			t.title(), quote(h.StartAction.String()))
		h.StartAction = t.orNone(h.StartAction)
	}
}

// orNone is none for a section of swanctl.conf, in the place of an action that can't be carried out. strongSwan takes the connection all
// the same.
func (t *table) orNone(a policy.StartAction) policy.StartAction {
	if t.swanctl {
		return policy.StartNone
	}
	return a
}

// ipsecConf translates the words of ipsec.conf's auto.
func ipsecConf(word string) (here string, ok bool) {
	switch word {
	case "route", "ondemand":
		return "trap", true
	case "add":
		return "none", true
	}
	return "", false
}

// readLossActions reads what is wanted after the peer was lost. swanctl needs three keys set in concert to keep a tunnel up; here
// start_action does all of it, and the other two can only ask for more: "down until a command, then kept up" is start_action = "none"
// with dpd_action and close_action = "start".
func readLossActions(t *table, h *Child, n *Connection) {
	words := []enum[policy.StartAction]{{"none", policy.StartNone}, {"clear", policy.StartNone}, {"trap", policy.StartTrap},
		{"hold", policy.StartTrap}, {"start", policy.StartStart}, {"restart", policy.StartStart}}
	for _, k := range []struct {
		key string
		to  *policy.StartAction
	}{{"dpd_action", &h.DPDAction}, {"close_action", &h.CloseAction}} {
		a, at := choice(t, k.key, policy.StartNone, words)
		switch *k.to = a; {
		case t.isString(k.key) && a < h.StartAction:
			t.warnf(at, "remove it", "%s has no effect: start_action is %s, which is brought about again whatever ended the tunnel", t.name(k.key),
				quote(h.StartAction.String()))
		case a > h.StartAction && !n.CanInitiate() && len(n.RemoteAddrs) > 0:
			t.lackf(at, "write an address or a DNS name into remote_addrs, or leave it out", "%s is %s, but connections.%s has no remote "+
				"address to start with", t.name(k.key), quote(t.word(k.key)), n.Name)
			*k.to = t.orNone(a)
		}
	}
}

// readCopies reads the keys about outer headers. The engine has one setting for all children, so that what is written
// here must be that.
func readCopies(t *table, c *Config) {
	if !t.boolean("copy_ecn", true) {
		t.valueNotSupported("copy_ecn", "write copy_ecn = true or leave it out")
	}
	if !t.boolean("copy_df", true) {
		t.valueNotSupported("copy_df", "write copy_df = true or leave it out")
	}
	words := []enum[string]{{"out", "out"}, {"no", "no"}, {"in", "in"}, {"yes", "yes"}}
	now := "no"
	if c.Dataplane.CopyDSCP {
		now = "out"
	}
	if v, _ := choice(t, "copy_dscp", now, words); v != now {
		t.valueNotSupported("copy_dscp", fmt.Sprintf("write copy_dscp = %s or leave it out; dataplane.copy_dscp sets it for all "+
			"children", quote(now)))
	}
}

// readZero reads a number that can only be 0 in this version.
func readZero(t *table, key, want string) {
	if n, _ := t.integer(key, 0, 0, math.MaxInt32); n != 0 {
		t.valueNotSupported(key, want)
	}
}

func readTFC(t *table) {
	const want = "write tfc_padding = 0 or leave it out"
	if t.word("tfc_padding") == "mtu" {
		t.valueNotSupported("tfc_padding", want)
		return
	}
	readZero(t, "tfc_padding", want)
}

// checkRequestIDs reports a reqid that two children have.
func (c *Config) checkRequestIDs(r *reader) {
	seen := map[uint32]*Child{}
	for _, n := range c.Connections {
		for _, h := range n.Children {
			if h.ReqID == 0 {
				continue
			}
			if o, ok := seen[h.ReqID]; ok {
				r.errorf(h.At("reqid"), "choose another number, or leave it out",
					"%s has the reqid %d of %s%s", h.fullName(), h.ReqID, o.fullName(), inLine(o.At("reqid")))
				continue
			}
			seen[h.ReqID] = h
		}
	}
}
