//go:build linux

package integration

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// TestCookie: a responder with half-open IKE SAs asks for a cookie before it does anything for the next initiator
// (RFC 7296 section 2.6), and that one gets in by returning it.
func TestCookie(t *testing.T) {
	for _, k := range pairsOf(t, ours, toStrong, fromStrong) {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, k, tunnel{Encap: true, Edit: func(_, b *peer.Gateway) {
				b.IKE = map[string]string{"cookie_threshold": "1", "half_open_timeout": `"8s"`}
			}})
			seen := watchIKE(t, p)
			p.start(t)
			p.initiate(t)
			if n := seen.count(isCookieRequest); n != 0 {
				t.Fatalf("b asks for a cookie (%d times) without a reason", n)
			}
			p.terminate(t)

			// An initiator that never goes on: a's own first message again, as if from another IKE SA and another program.
			first := seen.list()[0]
			p.wantHalfOpen(t, first)
			if _, err := peer.Initiate(p.a, childName); err != nil {
				t.Fatal(err)
			}
			p.wantPing(t)
			if n := seen.count(isCookieRequest); n != 1 {
				t.Errorf("b asked for a cookie %d times, want once", n)
			}
			// The same IKE SA asked twice: without the cookie and, first of all, with it.
			cookie := seen.list()[slices.IndexFunc(seen.list(), isCookieRequest)]
			requests := slices.DeleteFunc(seen.list(), func(m lab.IKEMessage) bool {
				return m.Exchange != lab.IKESAInit || m.Response || m.SPIi != cookie.SPIi
			})
			if len(requests) != 2 || requests[0].First == lab.PayloadNotify || requests[1].First != lab.PayloadNotify || requests[1].MessageID != 0 {
				t.Errorf("requests around the cookie: %v, want one without and one that begins with it", requests)
			}
			p.wantUp(t, 15*time.Second) // and nothing else, once b has forgotten the half-open one
			p.terminate(t)
		})
	}
}

// isCookieRequest reports whether a message is an IKE_SA_INIT response that begins with a notification, and that belongs to no IKE SA of its
// sender.
func isCookieRequest(m lab.IKEMessage) bool {
	return m.Exchange == lab.IKESAInit && m.Response && m.First == lab.PayloadNotify && m.SPIr == 0
}

// wantHalfOpen sends an IKE_SA_INIT request with another SPI and port, and waits for the answer to it.
func (p *pair) wantHalfOpen(t *testing.T, first lab.IKEMessage) {
	t.Helper()
	if first.Exchange != lab.IKESAInit || first.Response {
		t.Fatalf("the first message was %v", first)
	}
	var conn net.Conn
	err := p.A.Do(func() (err error) {
		conn, err = net.Dial("udp", net.JoinHostPort(p.B.Outer(p.outer).String(), "500"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := slices.Clone(first.Raw)
	binary.BigEndian.PutUint64(request, rand.Uint64()|1)
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, err := conn.Read(answer)
	if err != nil || n < 28 || binary.BigEndian.Uint64(answer[8:]) == 0 {
		t.Fatalf("no IKE SA for the request: %d octets, %v", n, err)
	}
}
