package vici

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// espSAs are a CHILD SA in both directions and one of which only the inbound one is left.
func fakeESP(keys bool) []ESPSA {
	s := ESPSA{
		Connection: "office", Child: "net", ReqID: 7, Local: netip.MustParseAddrPort("192.0.2.1:4500"), Remote: netip.MustParseAddrPort("198.51.100.2:4501"), UDP: true, Mode: "tunnel",
		Encr: "AES_CBC", EncrKeySize: 256, Integ: "HMAC_SHA2_256_128", ESN: true, ReplayWindow: 4096, LocalTS: []string{"10.1.0.0/24"}, RemoteTS: []string{"10.2.0.0/24"},
		Installed: testNow.UTC(), RekeyAt: testNow.Add(time.Hour).UTC(), ExpireAt: testNow.Add(2 * time.Hour).UTC(),
		Soft: ESPLimits{Bytes: 1}, Hard: ESPLimits{Bytes: 2, Packets: 3},
		In: ESPDirection{Installed: true, SPI: 0xc0000001, Seq: 1 << 40, Bytes: 10, Packets: 2, Last: testNow.UTC()}, Out: ESPDirection{Installed: true, SPI: 0xc0000002, Seq: 3},
	}
	if keys {
		s.In.EncrKey, s.In.IntegKey = bytes.Repeat([]byte{0xab}, 32), bytes.Repeat([]byte{0xcd}, 32)
	}
	half := s
	half.Child, half.UDP, half.Out = "old", false, ESPDirection{}
	return []ESPSA{s, half}
}

func (b *fakeBackend) ESP(_ context.Context, keys bool, yield func(ESPSA) error) error {
	b.note("esp %v", keys)
	for _, s := range fakeESP(keys) {
		if err := yield(s); err != nil {
			return err
		}
	}
	return b.fail()
}

// TestESP: what the daemon lists arrives as it was, and keys only where they were asked for.
func TestESP(t *testing.T) {
	_, path := startServer(t, newFake(), Options{})
	for _, keys := range []bool{false, true} {
		if keys && os.Getuid() != 0 {
			continue // see below
		}
		var got []ESPSA
		err := dial(t, path).ESPSAs(t.Context(), keys, func(s ESPSA) error { got = append(got, s); return nil })
		if err != nil {
			t.Fatal(err)
		}
		want := fakeESP(keys)
		for i := range got {
			for _, d := range []*ESPDirection{&got[i].In, &got[i].Out} {
				if len(d.EncrKey) == 0 {
					d.EncrKey, d.IntegKey = nil, nil
				}
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("keys %v: %d SAs differ", keys, len(got))
		}
	}
}

// TestESPKeysForRoot: whoever is not known to be root gets no keys, and nobody asks the daemon for them.
func TestESPKeysForRoot(t *testing.T) {
	b := newFake()
	s := NewServer(b, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0") // which says nothing about who is at the other end
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s, l)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(conn)
	defer c.Close()
	n := 0
	err = c.ESPSAs(t.Context(), true, func(ESPSA) error { n++; return nil })
	if err == nil || !strings.Contains(err.Error(), "keys are for root alone") || n > 0 {
		t.Errorf("%d SAs, error %v", n, err)
	}
	for _, call := range b.took() {
		if strings.HasPrefix(call, "esp") {
			t.Error("the daemon was asked")
		}
	}
	if err := c.ESPSAs(t.Context(), false, func(ESPSA) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("without keys: %d SAs, error %v", n, err)
	}
}

// TestESPIsNotPrinted: keys are in no line of a log, whatever prints them.
func TestESPIsNotPrinted(t *testing.T) {
	for _, s := range []string{fmt.Sprintf("%v %+v %#v %x", fakeESP(true)[0], fakeESP(true), fakeESP(true)[0].In, fakeESP(true)[0].In)} {
		if strings.Contains(s, "abab") || strings.Contains(s, "171 171") {
			t.Error(s)
		}
	}
}
