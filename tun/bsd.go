package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// run executes a command of the system, without a shell, and gives what it printed to both outputs.
type run func(argv ...string) (output string, err error)

// bsdLink is the backend of macOS, FreeBSD and OpenBSD. It runs ifconfig(8) and route(8): they are part of each of these
// systems and hide the structures and ioctls in which they differ. It is the control path, a few commands for each tunnel.
// The file is compiled everywhere, so that its commands can be tested everywhere.
//
// These systems have no socket marks. A peer that a route covers gets a host route by the way it is reached without the
// tunnel, so every packet to it, not only IKE and ESP, stays outside. A default route is two routes to half the
// Internet each: they win over the default route that is there, which stays untouched.
type bsdLink struct {
	goos string // runtime.GOOS
	dev  string
	run  run

	addresses []netip.Prefix // of the device, in the order they were added
	routes    map[netip.Prefix][]command
	peers     map[netip.Addr]command
}

// command is a command that undoes something.
type command []string

func newBSDLink(goos, dev string, run run) *bsdLink {
	return &bsdLink{
		goos: goos, dev: dev, run: run,
		routes: make(map[netip.Prefix][]command),
		peers:  make(map[netip.Addr]command),
	}
}

const (
	ifconfig = "/sbin/ifconfig"
	routeCmd = "/sbin/route"
)

// commandError is a command that has failed, with what it said.
type commandError struct {
	argv   []string
	output string
	err    error
}

func (e *commandError) Error() string {
	text := strings.Join(strings.Fields(e.output), " ")
	if text == "" {
		text = e.err.Error()
	}
	return strings.Join(e.argv, " ") + ": " + text
}

func (e *commandError) Unwrap() error { return e.err }

func (l *bsdLink) exec(argv ...string) (string, error) {
	out, err := l.run(argv...)
	if err != nil {
		return out, &commandError{argv: argv, output: out, err: err}
	}
	return out, nil
}

// says reports whether a command failed with one of these texts, which are those of strerror(3) and of route(8).
func says(err error, texts ...string) bool {
	var e *commandError
	if !errors.As(err, &e) {
		return false
	}
	for _, t := range texts {
		if strings.Contains(e.output, t) {
			return true
		}
	}
	return false
}

func exists(err error) bool { return says(err, "File exists") }

func missing(err error) bool {
	return says(err, "not in table", "No such process", "does not exist", "Can't assign requested address", "Device not configured")
}

// inet is the name of an address family.
func inet(a netip.Addr) string {
	if a.Is4() {
		return "inet"
	}
	return "inet6"
}

func (l *bsdLink) setUp(mtu int) error {
	if _, err := l.exec(ifconfig, l.dev, "mtu", strconv.Itoa(mtu)); err != nil {
		return err
	}
	_, err := l.exec(ifconfig, l.dev, "up")
	return err
}

// repair does nothing: these systems tell nobody in a form that all of them share.
func (l *bsdLink) repair([]netip.Prefix, []netip.Addr) Restored { return Restored{} }

func (l *bsdLink) sweep() error { return nil }

// close leaves the device up: it vanishes, or on OpenBSD goes down, when its descriptor is closed.
func (l *bsdLink) close() error { return nil }

func (l *bsdLink) addAddress(p netip.Prefix) error {
	argv := []string{ifconfig, l.dev, inet(p.Addr()), p.String()}
	// utun, and tun of OpenBSD, are point-to-point and want to know the other end: it stands for itself.
	if p.Addr().Is4() && (l.goos == "darwin" || l.goos == "openbsd") {
		argv = append(argv, p.Addr().String())
	}
	if _, err := l.exec(append(argv, "alias")...); err != nil && !exists(err) {
		return err
	}
	l.addresses = append(l.addresses, p)
	return nil
}

func (l *bsdLink) removeAddress(p netip.Prefix) error {
	if _, err := l.exec(ifconfig, l.dev, inet(p.Addr()), p.Addr().String(), "-alias"); err != nil && !missing(err) {
		return err
	}
	for i, a := range l.addresses {
		if a == p {
			l.addresses = append(l.addresses[:i:i], l.addresses[i+1:]...)
			break
		}
	}
	return nil
}

// ownAddress gives the device's address src if it has it, else its first of the family of like.
func (l *bsdLink) ownAddress(like, src netip.Addr) (a netip.Addr, isSrc bool) {
	for _, p := range l.addresses {
		if p.Addr() == src {
			return src, true
		}
	}
	for _, p := range l.addresses {
		if p.Addr().Is4() == like.Is4() {
			return p.Addr(), false
		}
	}
	return netip.Addr{}, false
}

// errNoAddress is why OpenBSD has no way to route to the device.
var errNoAddress = errors.New("the device has no address of this family")

// target is what follows the destination in a route command: the way into the tunnel.
func (l *bsdLink) target(r Route) ([]string, error) {
	own, isSrc := l.ownAddress(r.Dst.Addr(), r.Src)
	if l.goos == "openbsd" {
		// A route there leads to an address of this host, not to an interface.
		if !own.IsValid() {
			return nil, errNoAddress
		}
		return []string{"-iface", own.String()}, nil
	}
	t := []string{"-interface", l.dev}
	// -ifa with an address of another interface would lead the route to that one.
	if isSrc {
		t = append(t, "-ifa", r.Src.String())
	}
	return t, nil
}

// halves gives the routes that stand for dst: itself, or two for a default route.
func halves(dst netip.Prefix) []netip.Prefix {
	if dst.Bits() != 0 {
		return []netip.Prefix{dst}
	}
	upper := netip.AddrFrom4([4]byte{0x80})
	if dst.Addr().Is6() {
		upper = netip.AddrFrom16([16]byte{0x80})
	}
	return []netip.Prefix{netip.PrefixFrom(dst.Addr(), 1), netip.PrefixFrom(upper, 1)}
}

func (l *bsdLink) addRoute(r Route) error {
	target, err := l.target(r)
	if err != nil {
		return err
	}
	for _, dst := range halves(r.Dst) {
		family := "-" + inet(dst.Addr())
		_, err := l.exec(append([]string{routeCmd, "-q", "-n", "add", family, dst.String()}, target...)...)
		if exists(err) {
			err = l.takenBy(dst)
		}
		if err != nil {
			return errors.Join(err, l.removeRoute(r, false))
		}
		l.routes[r.Dst] = append(l.routes[r.Dst],
			append(command{routeCmd, "-q", "-n", "delete", family, dst.String()}, target[:2]...))
	}
	return nil
}

// takenBy says who has the route to dst; nil means that it leads to the device already.
func (l *bsdLink) takenBy(dst netip.Prefix) error {
	w, err := l.lookUp(inet(dst.Addr()), dst.String())
	if err == nil && w.device != l.dev {
		err = fmt.Errorf("there is already a route to %v, by %s", dst, w.device)
	}
	return err
}

func (l *bsdLink) changeSource(r Route) error {
	return errors.Join(l.removeRoute(r, false), l.addRoute(r))
}

func (l *bsdLink) removeRoute(r Route, _ bool) error {
	var errs error
	var left []command
	for _, undo := range l.routes[r.Dst] {
		if _, err := l.exec(undo...); err != nil && !missing(err) {
			errs = errors.Join(errs, err)
			left = append(left, undo)
		}
	}
	if left == nil {
		delete(l.routes, r.Dst)
	} else {
		l.routes[r.Dst] = left
	}
	return errs
}

// way is how an address is reached, as "route get" prints it.
type way struct {
	gateway string // "" when it is on the device's own network
	device  string
	address string // of this host on that device; only OpenBSD tells
}

// lookUp asks for the way to a destination, which may be "default".
func (l *bsdLink) lookUp(family, dst string) (way, error) {
	out, err := l.exec(routeCmd, "-n", "get", "-"+family, dst)
	if err != nil {
		return way{}, err
	}
	w := parseWay(out)
	if w.device == "" {
		return way{}, &commandError{argv: []string{routeCmd, "-n", "get", "-" + family, dst}, output: "names no interface", err: errors.ErrUnsupported}
	}
	return w, nil
}

// parseWay reads the lines "key: value" of "route get".
func parseWay(out string) way {
	var w way
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch key {
		case "gateway":
			// "link#4" and a MAC address stand for the network itself.
			if _, err := netip.ParseAddr(value); err == nil {
				w.gateway = value
			}
		case "interface":
			w.device = value
		case "if address":
			w.address = value
		}
	}
	// For a connected network OpenBSD gives this host's own address as the gateway.
	if w.gateway == w.address {
		w.gateway = ""
	}
	return w
}

func (l *bsdLink) exclude(peer netip.Addr) error {
	w, err := l.lookUp(inet(peer), peer.String())
	if err == nil && w.device == l.dev {
		// A route into the tunnel is there already; without it, the peer would be reached by the default route.
		w, err = l.lookUp(inet(peer), "default")
	}
	if err != nil {
		return err
	}
	var target []string
	switch {
	case w.device == l.dev:
		return fmt.Errorf("the default route leads into the tunnel: no way to %v is left", peer)
	case w.gateway != "":
		target = []string{"-gateway", w.gateway}
	case l.goos == "openbsd":
		target = []string{"-iface", w.address}
	default:
		target = []string{"-interface", w.device}
	}
	family := "-" + inet(peer)
	_, err = l.exec(append([]string{routeCmd, "-q", "-n", "add", family, peer.String()}, target...)...)
	if exists(err) {
		return nil // somebody else's, and it is theirs to remove
	}
	if err != nil {
		return err
	}
	l.peers[peer] = append(command{routeCmd, "-q", "-n", "delete", family, peer.String()}, target...)
	return nil
}

func (l *bsdLink) unexclude(peer netip.Addr) error {
	undo, ours := l.peers[peer]
	if !ours {
		return nil
	}
	if _, err := l.exec(undo...); err != nil && !missing(err) {
		return err
	}
	delete(l.peers, peer)
	return nil
}

func (l *bsdLink) explain(err error) string {
	switch {
	case errors.Is(err, errNoAddress):
		return "give the tunnel an address first (a virtual IP): OpenBSD routes to addresses, not to interfaces"
	case says(err, "Operation not permitted", "must be root", "Permission denied"):
		return bsdFix(l.goos, ErrPermission)
	}
	return ""
}
