package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esplanade/ike/vici"
)

func newStatus() *cobra.Command {
	var socket string
	var asJSON bool
	c := &cobra.Command{
		Use:   "status [CONNECTION]",
		Short: "Show the desired and current state of every connection, and why they differ",
		Long: `Status shows each connection and child: what is desired of it, its state and since when, what it waits for, and the
last failure with its fix. With --json it prints the same for programs.`,
		Args:              atMostOneArg("CONNECTION"),
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
			s, err := cl.status(c.Context(), name)
			if err != nil {
				return err
			}
			r := newStatusReport(s)
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(r)
			}
			r.print(c.OutOrStdout(), time.Now())
			return nil
		},
	}
	socketFlag(c, &socket)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// timeForm is how times are shown to people.
const timeForm = "2006-01-02 15:04:05"

// statusReport is what `status --json` prints. Keys are only ever added to it.
type statusReport struct {
	Gateway     vici.GatewayStatus `json:"gateway"`
	Connections []connReport       `json:"connections"`
	// Unmatched are the latest failures that belong to no connection, in the same form as those that do.
	Unmatched []*failureReport `json:"unmatched"`
}

// stateReport is the common part of connections and children.
type stateReport struct {
	// Desired is "up", "on traffic" or "on command"; State "up", "connecting", "waiting", "trapped", "down" or "dead".
	Desired   string         `json:"desired"`
	State     string         `json:"state"`
	Since     time.Time      `json:"since,omitzero"`
	WaitsFor  string         `json:"waits_for,omitempty"`
	NextTry   time.Time      `json:"next_try,omitzero"`
	NextRekey time.Time      `json:"next_rekey,omitzero"`
	Failure   *failureReport `json:"failure"`
	// Heard is when the peer was last heard from; Silence is set while it does not answer; Remarks are troubles that do not change the
	// state.
	Heard   time.Time        `json:"heard,omitzero"`
	Silence *silenceReport   `json:"silence,omitempty"`
	Remarks []*failureReport `json:"remarks,omitempty"`
}

// silenceReport is a request without an answer. Failure is provisional until the state is "dead".
type silenceReport struct {
	Request  string         `json:"request"`
	Since    time.Time      `json:"since"`
	Repeated int            `json:"repeated"`
	Tries    int            `json:"tries"`
	Failure  *failureReport `json:"failure"`
}

type failureReport struct {
	Code string `json:"code"`
	// Message is the line that the log and swanctl show.
	Message string    `json:"message"`
	Fix     string    `json:"fix"`
	Count   int       `json:"count"`
	First   time.Time `json:"first,omitzero"`
	Last    time.Time `json:"last,omitzero"`
}

type connReport struct {
	Name     string `json:"name"`
	Local    string `json:"local"`
	Remote   string `json:"remote"`
	LocalID  string `json:"local_id"`
	RemoteID string `json:"remote_id"`
	Proposal string `json:"proposal,omitempty"`
	PPK      string `json:"ppk,omitempty"`
	Resumed  bool   `json:"resumed,omitempty"`
	// NAT is which side has a NAT in front of it: "none", "local", "remote", "both" or "unknown".
	NAT     string `json:"nat,omitempty"`
	natText string
	stateReport
	// MOBIKE: the addresses may change. LocalAddrs and RemoteAddrs are those that the other side was told of in addition to the ones
	// in use.
	MOBIKE      bool          `json:"mobike"`
	LocalAddrs  []string      `json:"local_addrs,omitempty"`
	RemoteAddrs []string      `json:"remote_addrs,omitempty"`
	Children    []childReport `json:"children"`
}

type childReport struct {
	Name string `json:"name"`
	stateReport
	LocalTS    []string `json:"local_ts"`
	RemoteTS   []string `json:"remote_ts"`
	Proposal   string   `json:"proposal,omitempty"`
	SAs        int      `json:"sas"`
	BytesIn    uint64   `json:"bytes_in"`
	PacketsIn  uint64   `json:"packets_in"`
	BytesOut   uint64   `json:"bytes_out"`
	PacketsOut uint64   `json:"packets_out"`
	// Path is the path of its SAs, nil while there is none.
	Path *vici.PathStatus `json:"path,omitempty"`
}

func newStatusReport(s vici.Status) statusReport {
	r := statusReport{Gateway: s.Gateway, Connections: []connReport{}, Unmatched: []*failureReport{}}
	for _, f := range s.Gateway.Strangers {
		r.Unmatched = append(r.Unmatched, newFailureReport(f))
	}
	r.Gateway.Strangers = nil // shown as Unmatched
	for _, c := range s.Connections {
		cr := connReport{
			Name: c.Name, Local: c.Local, Remote: c.Remote, LocalID: c.LocalID, RemoteID: c.RemoteID, Proposal: c.Proposal, PPK: c.PPK,
			Resumed: c.Resumed, NAT: c.NAT, natText: c.NATText,
			stateReport: newStateReport(c.State), Children: []childReport{},
			MOBIKE: c.MOBIKE, LocalAddrs: c.LocalAddrs, RemoteAddrs: c.RemoteAddrs,
		}
		for _, h := range c.Children {
			cr.Children = append(cr.Children, childReport{
				Name: h.Name, stateReport: newStateReport(h.State), LocalTS: h.LocalTS, RemoteTS: h.RemoteTS, Proposal: h.Proposal, SAs: h.SAs,
				BytesIn: h.BytesIn, PacketsIn: h.PacketsIn, BytesOut: h.BytesOut, PacketsOut: h.PacketsOut, Path: h.Path,
			})
		}
		r.Connections = append(r.Connections, cr)
	}
	return r
}

func newStateReport(s vici.State) stateReport {
	r := stateReport{
		Desired: s.Desired, State: s.Current, Since: s.Since, WaitsFor: s.WaitsFor, NextTry: s.NextTry, NextRekey: s.NextRekey,
	}
	if f := s.LastFailure; f != nil {
		r.Failure = newFailureReport(*f)
	}
	r.Heard = s.Heard
	if q := s.Silence; q != nil {
		r.Silence = &silenceReport{Request: q.Request, Since: q.Since, Repeated: q.Repeated, Tries: q.Tries, Failure: newFailureReport(*q.Failure)}
	}
	for _, f := range s.Remarks {
		r.Remarks = append(r.Remarks, newFailureReport(f))
	}
	return r
}

func newFailureReport(f vici.FailureStatus) *failureReport {
	return &failureReport{Code: f.Code, Message: f.Text, Fix: f.Fix, Count: f.Count, First: f.First, Last: f.Last}
}

// pathText says why the MTU of a path is less than this host's interface has it.
func pathText(p *vici.PathStatus, now time.Time) string {
	why := "an ICMP message says so"
	if p.LoweredBy == vici.ByBlackHole {
		why = "larger packets vanish"
	}
	return fmt.Sprintf("path MTU %d, within the tunnel %d: %s, since %s ago", p.MTU, p.Inner, why, ago(now, p.Since))
}

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
func (r statusReport) print(w io.Writer, now time.Time) {
	g := r.Gateway
	fmt.Fprintf(w, "esplanade %s, up %s, %s loaded %s\n", g.Version, ago(now, g.Since), g.Config, g.LoadedAt.Local().Format(timeForm))
	if g.ReloadError != "" {
		fmt.Fprintf(w, "  RELOADING FAILED, the old configuration stays in force:\n    %s\n", strings.ReplaceAll(g.ReloadError, "\n", "\n    "))
	}
	fmt.Fprintf(w, "  device %s mtu %d; %s\n", g.DataPath.Device, g.DataPath.MTU, strings.Join(g.DataPath.Sockets, ", "))
	if r := g.DataPath.Routing; r != nil {
		fmt.Fprintf(w, "  %s\n", routingText(r, now))
	}
	for _, f := range g.DataPath.Features {
		line := f.Name
		if !f.Used {
			line = "not used: " + line
		}
		if f.Reason != "" {
			line += ": " + f.Reason
		}
		fmt.Fprintf(w, "  %s\n", line)
	}
	for _, d := range g.Drops {
		fmt.Fprintf(w, "  dropped %s: %d %s\n", d.Direction, d.Packets, d.Reason)
	}
	for _, c := range r.Connections {
		fmt.Fprintf(w, "\n%s: %s\n", c.Name, c.stateReport.text(now))
		fmt.Fprintf(w, "  %s [%s] <-> %s [%s]\n", c.Local, c.LocalID, c.Remote, c.RemoteID)
		if c.Proposal != "" {
			fmt.Fprintf(w, "  %s%s\n", c.Proposal, resumedText(c.Resumed))
		}
		if c.natText != "" {
			fmt.Fprintf(w, "  NAT: %s\n", c.natText)
		}
		if c.MOBIKE {
			fmt.Fprintf(w, "  mobike; other addresses here: %s; there: %s\n", orNone(c.LocalAddrs), orNone(c.RemoteAddrs))
		}
		if c.PPK != "" {
			fmt.Fprintf(w, "  post-quantum preshared key %q\n", c.PPK)
		}
		for _, h := range c.Children {
			fmt.Fprintf(w, "  %s: %s\n", h.Name, h.stateReport.text(now))
			fmt.Fprintf(w, "    %s === %s\n", strings.Join(h.LocalTS, " "), strings.Join(h.RemoteTS, " "))
			if h.Proposal != "" {
				fmt.Fprintf(w, "    %s\n", h.Proposal)
			}
			if h.SAs > 0 || h.PacketsIn+h.PacketsOut > 0 {
				fmt.Fprintf(w, "    in %d packets %s, out %d packets %s\n", h.PacketsIn, octets(h.BytesIn), h.PacketsOut, octets(h.BytesOut))
			}
			if p := h.Path; p != nil && p.LoweredBy != "" {
				fmt.Fprintf(w, "    %s\n", pathText(p, now))
			}
		}
		if q := c.Silence; q != nil && c.State != "dead" {
			q.print(w, now)
		}
		for _, f := range c.Remarks {
			f.print(w, now, "remark")
		}
		if f := c.Failure; f != nil {
			f.print(w, now, "last failure")
		}
	}
	if len(r.Unmatched) > 0 {
		fmt.Fprintln(w, "\npeers that belong to no connection:")
		for _, f := range r.Unmatched {
			f.print(w, now, "failure")
		}
	}
	if f := r.latest(); f != nil {
		fmt.Fprintf(w, "\nmore about a failure: esplanade explain %s\n", f.Code)
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

func (f *failureReport) print(w io.Writer, now time.Time, what string) {
	fmt.Fprintf(w, "  %s %s ago", what, ago(now, f.Last))
	if f.Count > 1 {
		fmt.Fprintf(w, " (%d times since %s)", f.Count, f.First.Local().Format(timeForm))
	}
	fmt.Fprintf(w, ":\n    %s\n    Fix: %s\n", f.Message, f.Fix)
}

// print says what it comes to if no answer comes.
func (q *silenceReport) print(w io.Writer, now time.Time) {
	fmt.Fprintf(w, "  no answer for %s, if it stays so:\n    %s\n    Fix: %s\n", ago(now, q.Since), q.Failure.Message, q.Failure.Fix)
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}

// text is a state in one phrase: "up since 3m (desired: up)".
func (s stateReport) text(now time.Time) string {
	t := s.State
	if !s.Since.IsZero() {
		t += " for " + ago(now, s.Since)
	}
	if q := s.Silence; q != nil {
		t += fmt.Sprintf(", no answer for %s (%s, sent again %d times)", ago(now, q.Since), q.Request, q.Repeated)
	}
	t += ", desired " + s.Desired
	if s.WaitsFor != "" {
		t += ", waits for " + s.WaitsFor
	}
	if !s.NextRekey.IsZero() {
		t += ", rekeys in " + s.NextRekey.Sub(now).Round(time.Second).String()
	}
	return t
}

func ago(now, t time.Time) string { return max(now.Sub(t), 0).Round(time.Second).String() }

// octets writes a size with a unit of three digits or fewer.
func octets(n uint64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n)
	i := -1
	for f >= 1000 && i < len(units)-1 {
		f /= 1000
		i++
	}
	return fmt.Sprintf("%.1f %cB", f, units[i])
}

// resumedText marks an IKE SA that was set up with a session ticket.
func resumedText(resumed bool) string {
	if resumed {
		return ", resumed"
	}
	return ""
}
