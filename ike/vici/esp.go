package vici

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// The extension that `esplanade xfrm` uses: command CmdESP streams an EventESP for each CHILD SA that is installed. strongSwan has none,
// since a kernel answers there.
const (
	CmdESP   = "esplanade-esp"
	EventESP = "esplanade-esp-sa"
)

// errKeysForRoot is the answer to whoever asks for keys and is not root.
var errKeysForRoot = errors.New("keys are for root alone: this client runs as another user, or the system does not say who it is. Fix: run the command as root, or without --keys")

// ESPSA is a CHILD SA as it is installed, in both directions.
type ESPSA struct {
	Connection, Child string
	ReqID             uint32
	// Local and Remote are the outer addresses; with UDP the ports count.
	Local, Remote netip.AddrPort
	UDP           bool
	Mode          string
	// Encr and Integ are the names of IANA, Encr's key in bits; Integ is "" for what needs none.
	Encr, Integ                  string
	EncrKeySize                  int
	ESN                          bool
	ReplayWindow                 int
	LocalTS, RemoteTS            []string
	Installed, RekeyAt, ExpireAt time.Time
	// Soft and Hard are the limits of what the outbound direction may carry; 0 is none but the algorithms'.
	Soft, Hard ESPLimits
	In, Out    ESPDirection
}

// ESPLimits are limits of an SA.
type ESPLimits struct{ Packets, Bytes uint64 }

// ESPDirection is one direction of it. Keys are there only if they were asked for.
type ESPDirection struct {
	Installed      bool
	SPI            uint32
	Seq            uint64
	Bytes, Packets uint64
	Last           time.Time
	EncrKey        []byte
	IntegKey       []byte
}

// espSAs answers [CmdESP].
func (ss *session) espSAs(ctx context.Context, req *Message) *Message {
	keys, err := req.Bool("keys")
	if err != nil {
		return failed(err)
	}
	if keys && !peerIsRoot(ss.conn) {
		return failed(errKeysForRoot)
	}
	return streamed(ss.server.backend.ESP(ctx, keys, func(s ESPSA) error {
		return ss.stream(ctx, EventESP, s.message())
	}))
}

// peerIsRoot reports whether a client is known to be root.
func peerIsRoot(c net.Conn) bool {
	uid, known := peerUser(c)
	return known && uid == 0
}

func (s *ESPSA) message() *Message {
	m := new(Message)
	m.Set("connection", s.Connection)
	m.Set("child", s.Child)
	m.Setf("reqid", "%d", s.ReqID)
	m.Set("local", s.Local.String())
	m.Set("remote", s.Remote.String())
	m.SetYes("udp", s.UDP)
	m.Set("mode", s.Mode)
	m.Set("encr-alg", s.Encr)
	m.Setf("encr-keysize", "%d", s.EncrKeySize)
	m.SetNonEmpty("integ-alg", s.Integ)
	m.SetYes("esn", s.ESN)
	m.Setf("replay-window", "%d", s.ReplayWindow)
	m.SetList("local-ts", s.LocalTS...)
	m.SetList("remote-ts", s.RemoteTS...)
	setTime(m, "installed", s.Installed)
	setTime(m, "rekey-at", s.RekeyAt)
	setTime(m, "expire-at", s.ExpireAt)
	for _, l := range []struct {
		name   string
		limits ESPLimits
	}{{"soft", s.Soft}, {"hard", s.Hard}} {
		m.Setf(l.name+"-bytes", "%d", l.limits.Bytes)
		m.Setf(l.name+"-packets", "%d", l.limits.Packets)
	}
	for _, d := range []struct {
		name string
		dir  *ESPDirection
	}{{"in", &s.In}, {"out", &s.Out}} {
		if !d.dir.Installed {
			continue
		}
		x := m.Sub(d.name)
		x.Setf("spi", "%08x", d.dir.SPI)
		x.Setf("seq", "%d", d.dir.Seq)
		x.Setf("bytes", "%d", d.dir.Bytes)
		x.Setf("packets", "%d", d.dir.Packets)
		setTime(x, "last", d.dir.Last)
		x.SetNonEmpty("encr-key", hex.EncodeToString(d.dir.EncrKey))
		x.SetNonEmpty("integ-key", hex.EncodeToString(d.dir.IntegKey))
	}
	return m
}

// ESPSAs asks for the CHILD SAs that are installed, and for their keys if the caller is root.
func (c *Client) ESPSAs(ctx context.Context, keys bool, yield func(ESPSA) error) error {
	req := new(Message)
	if keys {
		req.Set("keys", "yes")
	}
	_, err := c.Stream(ctx, CmdESP, EventESP, req, func(m *Message) error {
		s, err := parseESPSA(m)
		if err != nil {
			return err
		}
		return yield(s)
	})
	return err
}

func parseESPSA(m *Message) (s ESPSA, err error) {
	var p parser
	s = ESPSA{
		Connection: m.Get("connection"), Child: m.Get("child"), ReqID: uint32(p.uint64(m, "reqid")), UDP: m.Get("udp") == "yes", Mode: m.Get("mode"),
		Encr: m.Get("encr-alg"), EncrKeySize: p.int(m, "encr-keysize"), Integ: m.Get("integ-alg"), ESN: m.Get("esn") == "yes",
		ReplayWindow: p.int(m, "replay-window"), LocalTS: m.List("local-ts"), RemoteTS: m.List("remote-ts"),
		Installed: p.time(m, "installed"), RekeyAt: p.time(m, "rekey-at"), ExpireAt: p.time(m, "expire-at"),
	}
	s.Soft = ESPLimits{Bytes: p.uint64(m, "soft-bytes"), Packets: p.uint64(m, "soft-packets")}
	s.Hard = ESPLimits{Bytes: p.uint64(m, "hard-bytes"), Packets: p.uint64(m, "hard-packets")}
	if s.Local, err = netip.ParseAddrPort(m.Get("local")); err != nil {
		return s, fmt.Errorf("vici: local: %w", err)
	}
	if s.Remote, err = netip.ParseAddrPort(m.Get("remote")); err != nil {
		return s, fmt.Errorf("vici: remote: %w", err)
	}
	s.In, s.Out = p.espDirection(m.Section("in")), p.espDirection(m.Section("out"))
	return s, p.err
}

func (p *parser) espDirection(m *Message) (d ESPDirection) {
	if m == nil {
		return d
	}
	spi, err := strconv.ParseUint(m.Get("spi"), 16, 32)
	p.keep("spi", err)
	d = ESPDirection{
		Installed: true, SPI: uint32(spi), Seq: p.uint64(m, "seq"), Bytes: p.uint64(m, "bytes"), Packets: p.uint64(m, "packets"), Last: p.time(m, "last"),
	}
	d.EncrKey, err = hex.DecodeString(m.Get("encr-key"))
	p.keep("encr-key", err)
	d.IntegKey, err = hex.DecodeString(m.Get("integ-key"))
	p.keep("integ-key", err)
	return d
}
