package tun

import (
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// eventRoom is how many events wait for a reader. Further ones are dropped: nobody has to read them.
const eventRoom = 8

// monitorBuffer is the receive buffer of the subscription. It ends when the buffer overflows, so it holds the changes of
// hundreds of interfaces.
const monitorBuffer = 1 << 20

// monitor turns what the kernel says about one interface into Events. Its goroutine is the only sender on events.
type monitor struct {
	events chan Event
	done   chan struct{} // closed by stop
	ended  chan struct{} // closed by the goroutine
}

// startMonitor watches the interface with that index in the calling thread's network namespace.
func startMonitor(index int) (*monitor, error) {
	m := &monitor{
		events: make(chan Event, eventRoom),
		done:   make(chan struct{}),
		ended:  make(chan struct{}),
	}
	updates := make(chan netlink.LinkUpdate)
	if err := netlink.LinkSubscribeWithOptions(updates, m.done, netlink.LinkSubscribeOptions{
		ReceiveBufferSize: monitorBuffer,
	}); err != nil {
		return nil, err
	}
	go m.run(updates, index)
	return m, nil
}

// run ends when the subscription does, which closes updates.
func (m *monitor) run(updates <-chan netlink.LinkUpdate, index int) {
	defer close(m.ended)
	defer close(m.events)
	up, mtu := false, 0
	for u := range updates {
		if int(u.Index) != index {
			continue
		}
		isUp := u.Header.Type == unix.RTM_NEWLINK && u.IfInfomsg.Flags&unix.IFF_UP != 0
		if isUp != up {
			up = isUp
			if up {
				m.send(EventUp)
			} else {
				m.send(EventDown)
			}
		}
		if u.Header.Type == unix.RTM_NEWLINK && u.Attrs().MTU != mtu {
			mtu = u.Attrs().MTU
			m.send(EventMTUUpdate)
		}
	}
}

func (m *monitor) send(e Event) {
	select {
	case m.events <- e:
	default:
	}
}

func (m *monitor) stop() {
	close(m.done)
	<-m.ended
}
