package tuntest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	wgtun "golang.zx2c4.com/wireguard/tun"
)

func packet(version byte, n int) []byte {
	return append([]byte{version << 4}, bytes.Repeat([]byte{byte(n)}, n-1)...)
}

func buffers(n int) ([][]byte, []int) {
	bufs := make([][]byte, n)
	for i := range bufs {
		bufs[i] = make([]byte, 2000)
	}
	return bufs, make([]int, n)
}

func TestInjectIsRead(t *testing.T) {
	d := NewChannel("tun0", 1400)
	defer d.Close()
	p := packet(4, 100)
	if err := d.Inject(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p[1] = 0xff // the device has a copy
	if err := d.Inject(t.Context(), packet(6, 1400)); err != nil {
		t.Fatal(err)
	}
	bufs, sizes := buffers(d.BatchSize())
	n, err := d.Read(bufs, sizes, 16)
	if n != 2 || err != nil || sizes[0] != 100 || sizes[1] != 1400 || !bytes.Equal(bufs[0][16:116], packet(4, 100)) {
		t.Errorf("read %d packets of %v octets, %v", n, sizes[:2], err)
	}
}

func TestReadStopsAtItsBuffers(t *testing.T) {
	d := NewChannel("tun0", 1400)
	defer d.Close()
	for range 5 {
		d.Inject(t.Context(), packet(4, 20))
	}
	bufs, sizes := buffers(2)
	for _, want := range []int{2, 2, 1} {
		if n, err := d.Read(bufs, sizes, 0); n != want || err != nil {
			t.Errorf("read %d, %v; want %d", n, err, want)
		}
	}
}

func TestWriteIsCaptured(t *testing.T) {
	d := NewChannel("tun0", 1400)
	defer d.Close()
	if p, ok := d.TryNext(); ok {
		t.Errorf("nothing was written, got % x", p)
	}
	b := append(make([]byte, 16), packet(4, 1500)...) // over the MTU: the kernel takes that
	if n, err := d.Write([][]byte{b, append(make([]byte, 16), packet(6, 40)...)}, 16); n != 2 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	b[17] = 0xff // the device has a copy
	if p, err := d.Next(t.Context()); err != nil || !bytes.Equal(p, packet(4, 1500)) {
		t.Errorf("got %d octets, %v", len(p), err)
	}
	if p, ok := d.TryNext(); !ok || !bytes.Equal(p, packet(6, 40)) {
		t.Errorf("got %d octets, %v", len(p), ok)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next ends with %v", err)
	}
}

func TestBounds(t *testing.T) {
	d := NewChannel("tun0", 1400)
	defer d.Close()
	for range Queue + 3 {
		if n, err := d.Write([][]byte{packet(4, 20)}, 0); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if d.Dropped() != 3 {
		t.Errorf("%d dropped, want 3", d.Dropped())
	}
	for range Queue {
		if err := d.Inject(t.Context(), packet(4, 20)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Inject(ctx, packet(4, 20)); !errors.Is(err, context.Canceled) {
		t.Errorf("Inject into a full queue: %v", err)
	}
}

func TestRefuses(t *testing.T) {
	d := NewChannel("tun0", 1400)
	defer d.Close()
	bufs, sizes := buffers(1)
	if err := d.Inject(t.Context(), packet(4, 1401)); err == nil {
		t.Error("injects more than the MTU")
	}
	if err := d.Inject(t.Context(), nil); err == nil {
		t.Error("injects nothing")
	}
	if _, err := d.Write([][]byte{packet(5, 20)}, 0); err == nil {
		t.Error("writes IP version 5")
	}
	if n, err := d.Write([][]byte{append(make([]byte, 16), packet(4, 20)...), make([]byte, 16)}, 16); n != 1 || !errors.Is(err, io.ErrShortBuffer) {
		t.Errorf("writes an empty packet: %d, %v", n, err)
	}
	if _, err := d.Read(nil, nil, 0); err == nil {
		t.Error("reads without buffers")
	}
	if _, err := d.Read(bufs, nil, 0); err == nil {
		t.Error("reads without sizes")
	}
	for _, offset := range []int{-1, 1990, 2001} {
		d.Inject(t.Context(), packet(4, 20))
		if n, err := d.Read(bufs, sizes, offset); n != 0 || !errors.Is(err, io.ErrShortBuffer) {
			t.Errorf("read at offset %d: %d, %v", offset, n, err)
		}
	}
}

func TestCloseEndsWaiting(t *testing.T) {
	d := NewChannel("tun0", 1400)
	d.Write([][]byte{packet(4, 20)}, 0)
	var wg sync.WaitGroup
	bufs, sizes := buffers(1)
	wg.Go(func() {
		if _, err := d.Read(bufs, sizes, 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read ends with %v", err)
		}
	})
	d.Close()
	d.Close()
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Close does not end Read")
	}
	if _, err := d.Next(t.Context()); err != nil {
		t.Errorf("what was written before Close: %v", err)
	}
	for what, err := range map[string]error{
		"Next":   func() error { _, err := d.Next(t.Context()); return err }(),
		"Inject": d.Inject(t.Context(), packet(4, 20)),
		"Write":  func() error { _, err := d.Write([][]byte{packet(4, 20)}, 0); return err }(),
		"Read":   func() error { _, err := d.Read(bufs, sizes, 0); return err }(),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

func TestAttributes(t *testing.T) {
	d := NewChannel("tun7", 1300)
	if name, _ := d.Name(); name != "tun7" {
		t.Errorf("name %q", name)
	}
	if mtu, _ := d.MTU(); mtu != 1300 {
		t.Errorf("mtu %d", mtu)
	}
	if d.File() != nil || d.BatchSize() != Batch {
		t.Error("file or batch size")
	}
	if e := <-d.Events(); e != wgtun.EventUp {
		t.Errorf("event %v", e)
	}
	d.Close()
	if _, ok := <-d.Events(); ok {
		t.Error("Events is not closed")
	}
}
