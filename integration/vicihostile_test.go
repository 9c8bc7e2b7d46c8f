//go:build linux

package integration

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// What hostile clients do, and what they may cost.
const (
	hostileIdle     = 1000             // clients that connect and say nothing
	hostileClients  = 40               // clients of each other kind
	hostileRequests = 200              // requests that each of them sends without reading
	hostileLoads    = 600              // connections that are loaded in a flood
	hostileMemory   = 400 << 20        // what the daemon may take in addition, in bytes: a request of 512 KiB costs up to sixty times as much while it is looked at
	honestPatience  = 20 * time.Second // how long another client may wait for its answer, on a busy machine
)

// viciPacketOf is a packet with a name and a message of elements that are encoded already.
func viciPacketOf(kind byte, name string, message []byte) []byte {
	return slices.Concat([]byte{kind, byte(len(name))}, []byte(name), message)
}

func viciSegment(packet []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...)
}

func viciSectionStart(name string) []byte { return append([]byte{1, byte(len(name))}, name...) }

func viciKeyValue(key, value string) []byte {
	b := append([]byte{3, byte(len(key))}, key...)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...)
}

// longList is a request to load a connection with a list of so many items as there is room for.
func longList() []byte {
	b := slices.Concat(viciSectionStart("long"), []byte{4, 11}, []byte("local_addrs"))
	b = append(b, bytes.Repeat([]byte{5, 0, 1, 'x'}, 120_000)...)
	return viciSegment(viciPacketOf(viciRequest, "load-conn", append(b, 6, 2)))
}

// deepSections has as many sections within each other as there is room for, open and closed.
func deepSections(closed bool) []byte {
	const depth = 100_000
	b := bytes.Repeat([]byte{1, 1, 'x'}, depth)
	if closed {
		b = append(b, bytes.Repeat([]byte{2}, depth)...)
	}
	return viciSegment(viciPacketOf(viciRequest, "load-conn", b))
}

// manyKeys is a request with as many keys as there is room for.
func manyKeys() []byte {
	var b []byte
	for i := range 30_000 {
		b = append(b, viciKeyValue(fmt.Sprintf("key-%d", i), "v")...)
	}
	return viciSegment(viciPacketOf(viciRequest, "list-sas", b))
}

// rubbish are segments that are none.
func rubbish() [][]byte {
	return [][]byte{
		{0, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff, 0}, {0, 8, 0, 1}, []byte("GET / HTTP/1.1\r\n\r\n"), viciSegment([]byte{9}), viciSegment([]byte{1}), viciSegment([]byte{7, 3, 'l', 'o', 'g'}),
		viciSegment([]byte{0, 200, 'x'}), viciSegment(viciPacketOf(viciRequest, "list-sas", []byte{2, 2, 2})), viciSegment(viciPacketOf(viciRequest, "list-sas", []byte{3, 1, 'a', 0xff, 0xff})),
		viciSegment(viciPacketOf(viciRequest, strings.Repeat("x", 255), nil)), viciSegment(viciPacketOf(viciRegister, "no-such-event", nil)), deepSections(false),
	}
}

// unread sends requests for long answers, and reads none of them.
func unread() []byte {
	b := viciSegment(viciPacketOf(viciRegister, "list-conn", nil))
	b = append(b, viciSegment(viciPacketOf(viciRegister, "log", nil))...)
	return append(b, bytes.Repeat(viciSegment(viciPacketOf(viciRequest, "list-conns", nil)), hostileRequests)...)
}

// TestHostileClients: clients that connect by the thousand, send what is endless, broken or half, flood or read nothing cost a bounded amount
// of memory, and others get their answers.
func TestHostileClients(t *testing.T) {
	t.Parallel()
	lab.NeedRoot(t, peer.Programs(peer.KindEsplanade)...)
	l := lab.New(t, lab.Options{})
	e := peer.New(t, peer.KindEsplanade, l.A, peer.Gateway{IKE: map[string]string{}}).(*peer.Esplanade)
	e.Start(t)
	flood(t, e.Socket(), hostileLoads) // it is those that long answers are about
	before := rss(t, e)

	stop := make(chan struct{})
	var attackers sync.WaitGroup
	attack := func(n int, send func(c net.Conn)) {
		for range n {
			attackers.Go(func() {
				for {
					c, err := net.Dial("unix", e.Socket())
					if err == nil {
						_ = c.SetDeadline(time.Now().Add(3 * time.Second))
						send(c)
						c.Close()
					}
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
					}
				}
			})
		}
	}
	wait := func(net.Conn) { <-stop }
	say := func(b []byte, read bool) func(c net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Write(b)
			if read {
				_, _ = io.Copy(io.Discard, c)
			}
		}
	}
	var idle []net.Conn
	for range hostileIdle {
		if c, err := net.Dial("unix", e.Socket()); err == nil {
			idle = append(idle, c)
		}
	}
	half := longList()
	attack(hostileClients, wait)
	attack(hostileClients, func(c net.Conn) { _, _ = c.Write(half[:len(half)/2]); <-stop })
	attack(hostileClients/4, say(longList(), true))
	attack(hostileClients/4, say(deepSections(true), true))
	attack(hostileClients/4, say(manyKeys(), true))
	attack(hostileClients/4, func(c net.Conn) { _, _ = c.Write(unread()); <-stop })
	for _, b := range rubbish() {
		attack(2, say(b, true))
	}

	var most uint64
	var slowest time.Duration
	for range 40 {
		begin := time.Now()
		if err := ask(e.Socket(), "stats", nil); err != nil {
			t.Errorf("another client gets no answer: %v", err)
			break
		}
		slowest = max(slowest, time.Since(begin))
		most = max(most, rss(t, e))
	}
	flood(t, e.Socket(), 100) // loading goes on as well
	close(stop)
	for _, c := range idle {
		c.Close()
	}
	attackers.Wait()
	t.Logf("memory %d MiB before, %d MiB at most; the slowest answer took %v", before>>20, most>>20, slowest)
	allowed := before + hostileMemory
	if os.Getenv("ESPLANADE_INTEGRATION_RACE") != "" {
		allowed += hostileMemory // the race detector's shadow of it
	}
	if most > allowed {
		t.Errorf("the daemon has %d MiB, at most %d are allowed", most>>20, allowed>>20)
	}
	if out, err := peer.Swanctl(e, "--stats"); err != nil {
		t.Errorf("after the attack: %v\n%s", err, out)
	}
}

func rss(t *testing.T, e *peer.Esplanade) uint64 {
	t.Helper()
	n, err := lab.RSS(e.PID())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ask sends a request and waits for its answer, however often the client has to connect for it: others may need its place.
func ask(socket, command string, message []byte) error {
	var err error
	for deadline := time.Now().Add(honestPatience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var c net.Conn
		if c, err = net.Dial("unix", socket); err != nil {
			continue
		}
		_ = c.SetDeadline(deadline)
		_, err = c.Write(viciSegment(viciPacketOf(viciRequest, command, message)))
		var b []byte
		if err == nil {
			b, err = readVICI(c)
		}
		c.Close()
		if err == nil && b[0] != 1 {
			err = fmt.Errorf("answered with %x", b)
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// flood loads connections as fast as they are taken, over one connection to the socket.
func flood(t *testing.T, socket string, n int) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("c%d", i)
		m := slices.Concat(viciSectionStart(name), viciKeyValue("version", "2"), []byte{4, 12}, []byte("remote_addrs"), []byte{5, 0, 9}, []byte("192.0.2.9"), []byte{6},
			viciSectionStart("local"), viciKeyValue("auth", "psk"), viciKeyValue("id", name+".a.example"), []byte{2}, viciSectionStart("remote"), viciKeyValue("auth", "psk"), []byte{2},
			viciSectionStart("children"), viciSectionStart("net"), []byte{4, 9}, []byte("remote_ts"), []byte{5, 0, 10}, []byte("10.1.0.0/8"), []byte{6, 2, 2, 2})
		if err := ask(socket, "load-conn", m); err != nil {
			t.Fatalf("load-conn %s: %v", name, err)
		}
	}
}
