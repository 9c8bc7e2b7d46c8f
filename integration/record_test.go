//go:build linux

package integration

import (
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/integration/peer"
)

var recordFlag = flag.String("record", "", "the directory that TestRecord writes its recordings to")

// TestRecord records what two strongSwans say to each other, with the secrets of their key exchanges, for package
// ike/peertest: go test ./integration -run TestRecord -record $PWD/ike/peertest/testdata.
func TestRecord(t *testing.T) {
	if *recordFlag == "" {
		t.Skip("it records for the tests of ike/peertest, and only when -record says where to")
	}
	for _, c := range []struct {
		name string
		tun  tunnel
		life func(t *testing.T, p *pair)
	}{
		{"aead", tunnel{IKE: []string{"aes256gcm16-prfsha384-ecp384"}, ESP: []string{"aes256gcm16-ecp384"}}, recordLife},
		{"cbc", tunnel{IKE: []string{"aes128-sha256-modp2048"}, ESP: []string{"aes256-sha256-modp2048"}, Outer6: true}, recordLife},
		{"invalid-ke", tunnel{Edit: func(a, b *peer.Gateway) {
			a.Connections[0].Proposals = []string{"aes256gcm16-prfsha384-ecp384-x25519"}
			b.Connections[0].Proposals = []string{"aes256gcm16-prfsha384-x25519"}
			a.Connections[0].Children[0].Proposals = []string{"aes256gcm16-ecp384-x25519"}
			b.Connections[0].Children[0].Proposals = []string{"aes256gcm16-x25519"}
		}}, recordLife},
		{"ppk", tunnel{Edit: func(a, b *peer.Gateway) {
			for _, gw := range []*peer.Gateway{a, b} {
				gw.Connections[0].PPKID, gw.Connections[0].PPKRequired = "ppk-1", true
				gw.PPKs = []peer.PPK{{ID: "ppk-1", Key: ppkSecret}}
			}
		}}, recordLife},
		{"ts-unacceptable", tunnel{Edit: func(a, b *peer.Gateway) {
			a.IKE = map[string]string{"close_ike_on_child_failure": "no"}
			b.IKE = a.IKE
			b.Connections[0].Children[0].LocalTS = []string{"10.77.0.0/16"}
		}}, func(t *testing.T, p *pair) {
			if _, err := peer.Initiate(p.a, childName); err == nil {
				t.Error("the child came up")
			}
			p.terminate(t)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.tun.SaveKeys = true
			edit := c.tun.Edit
			c.tun.Edit = func(a, b *peer.Gateway) {
				// Addresses that appear while the lab starts would be announced in exchanges of their own.
				a.Connections[0].NoMOBIKE, b.Connections[0].NoMOBIKE = true, true
				if edit != nil {
					edit(a, b)
				}
			}
			p := newPair(t, kinds{peer.KindStrongSwan, peer.KindStrongSwan}, c.tun)
			r := &recording{a: p.A.Outer(c.tun.Outer6).AsSlice()}
			capture, err := p.A.StartCapture("record", r.watch)
			if err != nil {
				t.Fatal(err)
			}
			p.start(t)
			c.life(t, p)
			if err := capture.Stop(); err != nil {
				t.Fatal(err)
			}
			version, err := peer.Swanctl(p.a, "--version", "--daemon")
			if err != nil {
				t.Fatal(err)
			}
			name, _, _ := strings.Cut(strings.TrimSpace(version), " (") // without this machine's kernel
			fmt.Fprintf(&r.head, "# %s at both ends; a initiates.\n", name)
			fmt.Fprintf(&r.head, "psk %s\n", psk)
			if c.name == "ppk" {
				fmt.Fprintf(&r.head, "ppk %s\n", ppkSecret)
			}
			if err := r.write(filepath.Join(*recordFlag, c.name+".txt"), p.a.Log()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

const ppkSecret = "0123456789abcdef0123456789abcdef"

// recordLife rekeys everything from both ends, one after the other, and deletes it.
func recordLife(t *testing.T, p *pair) {
	p.initiate(t)
	for _, end := range p.peers() {
		p.askAll(t, []peer.Peer{end}, "--rekey", "--child", childName)
		p.wantUp(t, 10*time.Second)
		p.rekeyIKE(t, end)
	}
	p.terminate(t)
}

// recording is what was on the wire, as lines of the file.
type recording struct {
	head  strings.Builder
	a     []byte // the address of a
	mu    sync.Mutex
	lines []string
}

// watch notes IKE messages: UDP on port 500, and on port 4500 behind the non-ESP marker.
func (r *recording) watch(frame []byte) {
	const ethernet = 14
	if len(frame) < ethernet+28 {
		return
	}
	ip := frame[ethernet:]
	var src, udp []byte
	switch ip[0] >> 4 {
	case 4:
		src, udp = ip[12:16], ip[4*int(ip[0]&15):]
		if ip[9] != 17 {
			return
		}
	case 6:
		if len(ip) < 48 || ip[6] != 17 {
			return
		}
		src, udp = ip[8:24], ip[40:]
	default:
		return
	}
	from, to := binary.BigEndian.Uint16(udp), binary.BigEndian.Uint16(udp[2:])
	data := udp[8:binary.BigEndian.Uint16(udp[4:])]
	if from == 4500 || to == 4500 {
		if len(data) < 32 || string(data[:4]) != "\x00\x00\x00\x00" {
			return
		}
		data = data[4:]
	} else if from != 500 && to != 500 {
		return
	}
	side := "b"
	if string(src) == string(r.a) {
		side = "a"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf("%s %d %d %s", side, from, to, hex.EncodeToString(data)))
}

var sharedSecret = regexp.MustCompile(`(?m)^\S+ \d\d\[\w+\] (?:shared Diffie Hellman secret|key exchange secret|DH secret).* => \d+ bytes.*\n((?:\S+ \d\d\[\w+\] +\d+: .*\n)+)`)

// secrets lists the shared secrets of the key exchanges in the order in which an end made them.
func secrets(log string) (list []string) {
	for _, m := range sharedSecret.FindAllStringSubmatch(log, -1) {
		s := ""
		for _, line := range strings.Split(strings.TrimSpace(m[1]), "\n") {
			_, dump, _ := strings.Cut(line, "]")
			_, dump, _ = strings.Cut(dump, ": ")
			for _, word := range strings.Fields(dump) {
				if len(word) != 2 || len(s) >= 2*1024 || !isHex(word) {
					break
				}
				s += strings.ToLower(word)
			}
		}
		list = append(list, s)
	}
	return list
}

func isHex(s string) bool { _, err := hex.DecodeString(s); return err == nil }

func (r *recording) write(path, log string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	b.WriteString(r.head.String())
	for _, s := range secrets(log) {
		fmt.Fprintf(&b, "shared %s\n", s)
	}
	for _, l := range r.lines {
		fmt.Fprintln(&b, l)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
