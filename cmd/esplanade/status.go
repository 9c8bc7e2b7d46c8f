package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/vici"
)

func newStatus() *cobra.Command {
	var socket string
	var o statusOptions
	c := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show the state of every tunnel, worst first, and why it is not up",
		Long: `Status shows a line for each tunnel, that is for each child of a connection and each peer that it is up with: its state and
since when, the peer, and the traffic. Those that are not as they should be come first, with the reason and its fix. It shows as many
as fit a screen, and counts the others; with --all it shows them all.

With NAME it shows all there is to know about a connection, a child, CONNECTION/CHILD, or a peer by its user, identity or address; with
--verbose about everything, the packet loop at the end. With --json it prints all that for programs.`,
		Args:              atMostOneArg("NAME"),
		ValidArgsFunction: completeName(&socket),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := dial(c, socket)
			if err != nil {
				return err
			}
			defer cl.Close()
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			r, err := askStatus(c, cl, name)
			if err != nil {
				return err
			}
			w := c.OutOrStdout()
			if o.json {
				e := json.NewEncoder(w)
				e.SetIndent("", "  ")
				return e.Encode(r)
			}
			o.details = o.details || name != ""
			r.print(w, time.Now(), screenOf(w), o)
			return nil
		},
	}
	socketFlag(c, &socket)
	c.Flags().BoolVar(&o.json, "json", false, "print JSON, which has everything")
	c.Flags().BoolVarP(&o.all, "all", "a", false, "show all tunnels, however many there are")
	c.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "show everything about all tunnels, and what the packet loop uses")
	return c
}

// statusOptions say what is shown, and how.
type statusOptions struct {
	json, all, verbose bool
	details            bool // of the connections that there are, in place of the table
}

// askStatus asks for the status of what is named: a connection, or else a child or a peer.
func askStatus(c *cobra.Command, cl *client, name string) (statusReport, error) {
	s, err := cl.status(c.Context(), name)
	if err == nil {
		return newStatusReport(s), nil
	}
	var answer *vici.CommandError
	if name == "" || !errors.As(err, &answer) {
		return statusReport{}, err
	}
	s, all := cl.status(c.Context(), "")
	if all != nil {
		return statusReport{}, all
	}
	if r := newStatusReport(s).only(name); len(r.Connections) > 0 {
		return r, nil
	}
	return statusReport{}, err
}

// only keeps what a name stands for.
func (r statusReport) only(name string) statusReport {
	var found []connReport
	for _, c := range r.Connections {
		var children []childReport
		for _, h := range c.Children {
			if h.Name == name || c.Name+"/"+h.Name == name {
				children = append(children, h)
			}
		}
		var peers []peerReport
		for _, p := range c.Peers {
			addr, _ := netip.ParseAddrPort(p.Remote)
			if name == p.who() || name == p.RemoteID || name == p.Remote || addr.IsValid() && name == addr.Addr().String() {
				peers = append(peers, p)
			}
		}
		switch {
		case children != nil:
			c.Children = children
			c.Peers = slices.DeleteFunc(slices.Clone(c.Peers), func(p peerReport) bool {
				return !slices.ContainsFunc(p.Children, func(s saReport) bool {
					return slices.ContainsFunc(children, func(h childReport) bool { return h.Name == s.Child })
				})
			})
		case peers != nil:
			c.Peers = peers
		case len(c.Peers) == 0 && (name == c.RemoteID || slices.Contains(strings.Split(c.Remote, ", "), name)):
			// A peer that is not there, and is asked for as it is written in the configuration.
		default:
			continue
		}
		found = append(found, c)
	}
	r.Connections, r.Unmatched = found, nil
	return r
}

// timeForm is how times are shown to people.
const timeForm = "2006-01-02 15:04:05"

// routingText says what had to be put back of the host's routing.
func routingText(r *vici.Routing, now time.Time) string {
	var parts []string
	for _, what := range restorables() {
		if n := r.Restored[what]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", what, n))
		}
	}
	s := "routing put back: nothing"
	if len(parts) > 0 {
		s = fmt.Sprintf("routing put back: %s; last %s ago", strings.Join(parts, ", "), ago(now, r.Last))
	}
	if r.Contested {
		s += "; SOMEBODY TAKES IT AWAY AGAIN AND AGAIN"
	}
	if r.Missing != "" {
		s += "; MISSING: " + r.Missing
	}
	return s
}

// print writes the status for a person.
func (r statusReport) print(w io.Writer, now time.Time, s screen, o statusOptions) {
	say := func(inset, format string, args ...any) {
		for _, line := range s.wrap(fmt.Sprintf(format, args...), inset) {
			fmt.Fprintln(w, line)
		}
	}
	g := r.Gateway
	say("", "esplanade %s, up %s, %s loaded %s", g.Version, short(now.Sub(g.Since)), g.Config, g.LoadedAt.Local().Format(timeForm))
	if g.ReloadError != "" {
		say("  ", "RELOADING FAILED, and nothing was changed: what was loaded before stays in force:")
		for _, line := range strings.Split(g.ReloadError, "\n") {
			say("    ", "%s", line)
		}
	}
	if rt := g.DataPath.Routing; rt != nil {
		say("  ", "%s", routingText(rt, now))
	}
	strangers := r.strangersText(now, o.details || o.verbose)
	if o.details || o.verbose {
		for i := range r.Connections {
			fmt.Fprintln(w)
			r.Connections[i].print(w, now, s)
		}
	} else {
		list := r.tunnels(now)
		say("", "%s", summary(list))
		if len(list) > 0 {
			fmt.Fprintln(w)
			fit := s
			for _, line := range strangers {
				fit.lines -= len(s.wrap(line, ""))
			}
			if o.all {
				fit.lines = 0
			}
			if left := writeTable(w, list, now, fit); len(left) > 0 {
				say("", "and %d more: %s; --all shows them", len(left), byState(left))
			}
		}
	}
	for _, line := range strangers {
		say("", "%s", line)
	}
	for _, line := range radiusLines(g, now, o.verbose) {
		say("", "%s", line)
	}
	for _, line := range guessLines(g, now, o.verbose) {
		say("", "%s", line)
	}
	warnings, more := r.warnings(o.verbose)
	for _, x := range warnings {
		say("", "warning: %s", x.Text)
	}
	if more > 0 {
		say("", "and %s more; --verbose shows all", plural(more, "warning"))
	}
	if len(r.Unmatched) > 0 {
		fmt.Fprintln(w, "\npeers that belong to no connection:")
		for i, f := range r.Unmatched {
			if i > 0 && !o.verbose {
				say("  ", "and %d more; --verbose shows them", len(r.Unmatched)-i)
				break
			}
			f.print(w, now, s, "failure")
		}
	}
	if len(g.Drops) > 0 {
		var drops []string
		for _, d := range g.Drops {
			drops = append(drops, fmt.Sprintf("%s %s %d", d.Direction, d.Reason, d.Packets))
		}
		say("", "packets dropped: %s", strings.Join(drops, ", "))
		if g.NoPolicy != "" {
			say("  ", "no child selects %s, dropped %s ago", g.NoPolicy, short(now.Sub(g.NoPolicyAt)))
		}
	}
	if o.verbose {
		r.printDataPath(w, say)
	}
	if f := r.latest(); f != nil {
		fmt.Fprintln(w)
		say("", "more about a failure: esplanade explain %s", f.Code)
	}
}

// fewHalfOpen: so many peers may be about to authenticate at any time, and are not worth a line.
const fewHalfOpen = 5

// refusedShown is how long a line says that peers were refused, since the last of them was.
const refusedShown = time.Hour

// refusedText says how many peers were refused.
func refusedText(n int) string {
	if n == 1 {
		return "1 peer was refused"
	}
	return fmt.Sprintf("%d peers were refused", n)
}

// strangersText counts the peers that have not authenticated: those that are half-open, and those that were refused while others are up,
// which the table does not show.
func (r statusReport) strangersText(now time.Time, details bool) (lines []string) {
	if n := r.Gateway.HalfOpen; n > fewHalfOpen {
		lines = append(lines, fmt.Sprintf("%d half-open: peers that have begun and not authenticated", n))
	}
	n, connections, name := 0, 0, ""
	for _, c := range r.Connections {
		if c.Refused > 0 && (c.Aside == nil || now.Sub(c.Aside.Last) < refusedShown) {
			n, connections, name = n+c.Refused, connections+1, c.Name
		}
	}
	switch {
	case connections == 0 || details: // which say it of each connection
	case connections == 1:
		lines = append(lines, refusedText(n)+", see `esplanade status "+name+"`")
	default:
		lines = append(lines, fmt.Sprintf("%d peers of %d connections were refused, see --verbose", n, connections))
	}
	return lines
}

// fewCertificates is how many warnings about certificates are said without --verbose.
const fewCertificates = 3

// warnings are what is said of the certificates and of the host: all of it, or the first few about certificates and the first tunnel that is
// up and that this host itself cannot use, and how many more of those there are.
func (r statusReport) warnings(all bool) (list []vici.HostWarning, more int) {
	if all {
		return r.Gateway.HostWarnings, 0
	}
	certificates, first := 0, true
	for _, x := range r.Gateway.HostWarnings {
		if x.Certificate {
			if certificates++; certificates <= fewCertificates {
				list = append(list, x)
			} else {
				more++
			}
			continue
		}
		up := slices.ContainsFunc(r.Connections, func(c connReport) bool {
			return c.Name == x.Connection && slices.ContainsFunc(c.Children, func(h childReport) bool { return h.Name == x.Child && h.State == "up" })
		})
		switch {
		case !up:
		case first:
			list, first = append(list, x), false
		default:
			more++
		}
	}
	return list, more
}

// printDataPath writes what the packet loop runs on.
func (r statusReport) printDataPath(w io.Writer, say func(inset, format string, args ...any)) {
	d := r.Gateway.DataPath
	fmt.Fprintln(w)
	say("", "device %s mtu %d; %s", d.Device, d.MTU, strings.Join(d.Sockets, ", "))
	for _, f := range d.Features {
		line := f.Name
		if !f.Used {
			line = "not used: " + line
		}
		if f.Reason != "" {
			line += ": " + f.Reason
		}
		say("  ", "%s", line)
	}
}

// latest is the latest failure that is shown, nil if none is.
func (r statusReport) latest() *failureReport {
	var l *failureReport
	consider := func(f *failureReport) {
		if f != nil && (l == nil || f.Last.After(l.Last)) {
			l = f
		}
	}
	for _, c := range r.Connections {
		consider(c.Failure)
	}
	for _, f := range r.Unmatched {
		consider(f)
	}
	return l
}
