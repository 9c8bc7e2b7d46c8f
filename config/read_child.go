package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

func readChild(t *table, n *Connection, c *Config) *Child {
	h := &Child{Name: t.checkName("child"), Connection: n.Name}
	h.LocalTS = readSelectors(t, "local_ts")
	h.RemoteTS = readSelectors(t, "remote_ts")
	h.Proposals = readProposals(t, "esp_proposals", wire.ProtocolESP)
	warnPFS(t, h)
	readMode(t)
	readChildLifetimes(t, h)
	readStartAction(t, h, n)
	readSuperseded(t)
	window, at := t.integer("replay_window", DefaultReplayWindow, 0, MaxReplayWindow)
	if h.ReplayWindow = int(window); window == 0 {
		h.ReplayWindow = -1
		t.warnf(at, "write a number of packets such as 4096", "%s is 0: packets that an attacker repeats are let through",
			t.name("replay_window"))
	}
	readCopies(t, c)
	id, _ := t.integer("reqid", 0, 0, math.MaxUint32)
	h.ReqID = uint32(id)
	readZero(t, "priority", "the most specific remote_ts comes first; write 0 or leave it out")
	readTFC(t)
	h.Source = t.done()
	return h
}

// readSelectors reads local_ts or remote_ts. "dynamic", alone or with a protocol, is a selector without addresses.
func readSelectors(t *table, key string) (out []selector.Selector) {
	items, ok := t.list(key)
	if !ok {
		return []selector.Selector{{StartPort: selector.AnyStartPort, EndPort: selector.AnyEndPort}}
	}
	if len(items) == 0 {
		t.emptyList(key, "leave it out, or write \"dynamic\", for the gateway's own address")
	}
	for _, it := range items {
		s, err := parseSelector(it.text)
		if err != nil {
			var pe *selector.ParseError
			if errors.As(err, &pe) {
				t.errorf(it.at, pe.Want, "%s: %s is no traffic selector: %s", t.name(key), quote(it.text), pe.Reason)
			} else {
				t.errorf(it.at, "", "%s: %v", t.name(key), err)
			}
			continue
		}
		for _, o := range out {
			switch {
			case o == s:
				t.warnf(it.at, "remove one", "%s has %s twice", t.name(key), s)
			case o.Contains(s):
				t.warnf(it.at, "remove one", "%s has %s, which is a part of %s", t.name(key), s, o)
			case s.Contains(o):
				t.warnf(it.at, "remove one", "%s has %s, of which %s is a part", t.name(key), s, o)
			}
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) > selector.MaxSelectors {
		_, at, _ := t.get(key)
		t.errorf(at.value, fmt.Sprintf("write at most %d, or wider ones", selector.MaxSelectors), "%s has %d selectors",
			t.name(key), len(out))
	}
	return out
}

// parseSelector is selector.Parse and the word "dynamic", which is how swanctl says that there are no addresses yet.
func parseSelector(text string) (selector.Selector, error) {
	s := strings.TrimSpace(text)
	switch rest, ok := strings.CutPrefix(s, "dynamic"); {
	case ok && rest == "":
		return selector.Selector{StartPort: selector.AnyStartPort, EndPort: selector.AnyEndPort}, nil
	case ok && strings.HasPrefix(strings.TrimSpace(rest), "["):
		s = strings.TrimSpace(rest)
	}
	return selector.Parse(s)
}

// readMode knows swanctl's words; only tunnel is what this version does.
func readMode(t *table) {
	later := []string{"transport", "transport_proxy", "iptfs", "beet", "pass", "drop"}
	if s, ok := t.vals["mode"].(string); ok && slices.Contains(later, s) {
		t.valueNotSupported("mode", "write mode = \"tunnel\" or leave it out")
		return
	}
	choice(t, "mode", ModeTunnel, modes())
}

func readChildLifetimes(t *table, h *Child) {
	// Each of the two gives the other its default, a tenth apart.
	def := DefaultChildRekeyTime
	_, written := t.vals["life_time"]
	var at Position
	if written {
		h.LifeTime, at = t.duration("life_time", DefaultChildRekeyTime*11/10, time.Minute, forever, true)
		if h.LifeTime != 0 {
			def = h.LifeTime * 9 / 10
		}
	}
	h.RekeyTime, _ = t.duration("rekey_time", def, time.Minute, forever, true)
	if !written {
		h.LifeTime, at = t.duration("life_time", h.RekeyTime*11/10, time.Minute, forever, true)
	}
	if h.RekeyTime != 0 && h.LifeTime != 0 && h.LifeTime <= h.RekeyTime {
		t.errorf(at, fmt.Sprintf("write more than rekey_time, %s", short(h.RekeyTime)),
			"%s is %s, so that the SA would be deleted instead of rekeyed", t.name("life_time"), short(h.LifeTime))
	}
	def = 0
	if h.LifeTime > h.RekeyTime {
		def = min(h.LifeTime-h.RekeyTime, h.RekeyTime/2)
	}
	h.RandTime, at = t.duration("rand_time", def, time.Second, forever, true)
	if h.RekeyTime != 0 && h.RandTime >= h.RekeyTime {
		t.errorf(at, fmt.Sprintf("write less than rekey_time, %s", short(h.RekeyTime)),
			"%s is %s, so that the SA could be rekeyed as soon as it is up", t.name("rand_time"), short(h.RandTime))
	}
	h.RekeyBytes, h.LifeBytes = volume(t, "rekey_bytes", "life_bytes", func(key string, def uint64) (uint64, Position) {
		return t.size(key, def, 1<<20, math.MaxInt64)
	})
	h.RekeyPackets, h.LifePackets = volume(t, "rekey_packets", "life_packets", func(key string, def uint64) (uint64, Position) {
		n, at := t.integer(key, int64(def), 0, math.MaxInt64)
		return uint64(n), at
	})
}

// volume reads a soft and a hard limit, of which each gives the other its default: a tenth apart.
func volume(t *table, rekeyKey, lifeKey string, read func(key string, def uint64) (uint64, Position)) (rekey, life uint64) {
	_, written := t.vals[lifeKey]
	var def uint64
	var at Position
	if written {
		life, at = read(lifeKey, 0)
		def = life - life/10
	}
	rekey, _ = read(rekeyKey, def)
	if !written {
		life, at = read(lifeKey, min(rekey, math.MaxInt64/2)+rekey/10)
	}
	if rekey != 0 && life != 0 && life <= rekey {
		t.errorf(at, fmt.Sprintf("write more than %s, %d", rekeyKey, rekey),
			"%s is %d, so that the SA would stop instead of being rekeyed", t.name(lifeKey), life)
	}
	return rekey, life
}

// readStartAction reads the desired state. The default, to keep the tunnel up, needs somebody to call.
func readStartAction(t *table, h *Child, n *Connection) {
	def := StartStart
	if !n.CanInitiate() {
		def = StartNone
	}
	if s, ok := t.vals["start_action"].(string); ok && strings.Contains(s, "|") {
		_, at, _ := t.get("start_action")
		t.errorf(at.value, "write \"start\": packets wait for the tunnel then too", "%s is %s", t.name("start_action"), quote(s))
		h.StartAction = def
		return
	}
	var at Position
	h.StartAction, at = choice(t, "start_action", def, startActions())
	if h.StartAction != StartNone && !n.CanInitiate() && len(n.RemoteAddrs) > 0 {
		t.errorf(at, "write an address or a DNS name into remote_addrs, or start_action = \"none\" to wait for the peer",
			"%s is %s, but connections.%s has no remote address to start with", t.name("start_action"),
			quote(h.StartAction.String()), n.Name)
	}
}

// readSuperseded reads the two keys that start_action has taken the work of: swanctl needs all three set in concert to
// keep a tunnel up. Their values are checked, so that a mistake does not look like a setting.
func readSuperseded(t *table) {
	dpd := []enum[string]{{"clear", "none"}, {"none", "none"}, {"trap", "trap"}, {"hold", "trap"}, {"start", "start"},
		{"restart", "start"}}
	closing := []enum[string]{{"none", "none"}, {"clear", "none"}, {"trap", "trap"}, {"hold", "trap"}, {"start", "start"},
		{"restart", "start"}}
	for _, k := range []struct {
		key   string
		words []enum[string]
	}{{"dpd_action", dpd}, {"close_action", closing}} {
		if _, at := choice(t, k.key, "none", k.words); t.src.Has(k.key) {
			t.warnf(at, "remove it", "%s has no effect: start_action alone says which state is wanted, whatever ended the "+
				"tunnel", t.name(k.key))
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
	if s, ok := t.vals["tfc_padding"].(string); ok && s == "mtu" {
		t.valueNotSupported("tfc_padding", want)
		return
	}
	readZero(t, "tfc_padding", want)
}
