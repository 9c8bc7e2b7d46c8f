package netstack

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun/netstack"
)

// peer is one gateway of wireguard-go.
type peer struct {
	key    *ecdh.PrivateKey
	device *device.Device
	net    *netstack.Net
	port   string
}

func startPeer(inner netip.Addr) (*peer, error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	t, n, err := netstack.CreateNetTUN([]netip.Addr{inner}, nil, wireguardMTU)
	if err != nil {
		return nil, err
	}
	p := &peer{key: key, net: n, device: device.NewDevice(t, conn.NewDefaultBind(), device.NewLogger(device.LogLevelSilent, ""))}
	if err := p.set("private_key=%x\nlisten_port=0\n", key.Bytes()); err != nil {
		return nil, p.failed(err)
	}
	if err := p.device.Up(); err != nil {
		return nil, p.failed(err)
	}
	state, err := p.device.IpcGet()
	if err != nil {
		return nil, p.failed(err)
	}
	for line := range strings.Lines(state) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "listen_port="); ok {
			p.port = v
		}
	}
	return p, nil
}

func (p *peer) set(format string, values ...any) error {
	return p.device.IpcSet(fmt.Sprintf(format, values...))
}

func (p *peer) failed(err error) error {
	p.device.Close()
	return err
}

// meets tells it of the other one.
func (p *peer) meets(other *peer, inner netip.Addr) error {
	return p.set("public_key=%s\nendpoint=%v:%s\nallowed_ip=%v/%d\n", hex.EncodeToString(other.key.PublicKey().Bytes()), loopback, other.port, inner, inner.BitLen())
}

// wireguard makes a pair of gateways of wireguard-go.
func wireguard() (*pair, error) {
	left, err := startPeer(leftInner)
	if err != nil {
		return nil, err
	}
	right, err := startPeer(rightInner)
	if err != nil {
		return nil, left.failed(err)
	}
	p := &pair{left: left.net, right: right.net, close: func() error { left.device.Close(); right.device.Close(); return nil }}
	if err := errors.Join(left.meets(right, rightInner), right.meets(left, leftInner)); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}
