package dataplane

import (
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// steer makes the kernel give each packet to the worker that the SPI names: the SPI's index modulo the number of
// sockets. IKE messages, which begin with four zero octets, go to the first. Without it, the kernel spreads packets by
// their addresses and ports, which puts a tunnel on one worker.
func (w *mmsgSockets) steer(share int) {
	switch {
	case w.config.Features.NoReusePort:
		w.note(off(featureReusePort, turnedOff))
		w.note(off(featureSteering, "there is no reuse_port"))
		return
	case share < 2:
		w.note(off(featureReusePort, "there is one worker"))
		w.note(off(featureSteering, "there is one worker"))
		return
	}
	w.note(on(featureReusePort, fmt.Sprintf("each address and port is shared by %d workers", share)))
	if w.config.Features.NoSteering {
		w.note(off(featureSteering, turnedOff))
		return
	}
	for _, g := range w.set.groups {
		if len(g) < 2 {
			continue
		}
		if err := w.conn(g[0]).steer(len(g)); err != nil {
			w.note(off(featureSteering, err.Error()))
			return
		}
	}
	w.note(on(featureSteering, "SO_ATTACH_REUSEPORT_CBPF"))
}

// steer attaches the program to the group of sockets that b is the first of.
func (b *mmsgSocket) steer(sockets int) error {
	prog, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 4}, // the UDP payload; a shorter one ends with 0
		bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(sockets)},
		bpf.RetA{},
	})
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(prog))
	for i, p := range prog {
		filter[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return b.control(func(fd int) error {
		return os.NewSyscallError("SO_ATTACH_REUSEPORT_CBPF",
			unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &fprog))
	})
}
