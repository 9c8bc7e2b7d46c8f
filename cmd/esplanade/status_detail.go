package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"esplanade/ike/vici"
)

// print writes all there is to know about a connection.
func (c *connReport) print(w io.Writer, now time.Time, s screen) {
	say := func(inset, format string, args ...any) {
		for _, line := range s.wrap(fmt.Sprintf(format, args...), inset) {
			fmt.Fprintln(w, line)
		}
	}
	say("", "%s: %s", c.Name, c.stateReport.text(now))
	if c.Origin != "" {
		say("  ", "from %s", c.Origin)
	}
	if len(c.Peers) == 0 {
		say("  ", "%s [%s] <-> %s [%s]", c.Local, c.LocalID, c.Remote, c.RemoteID)
	}
	for i := range c.Peers {
		c.Peers[i].print(say, now)
	}
	printClient(c.Client, say)
	if n := c.HalfOpen - c.strangers(); n > 0 {
		say("  ", "and %d more half-open: peers that have begun and not authenticated", n)
	}
	if c.Refused > 0 {
		say("  ", "%s while others are up", refusedText(c.Refused))
	}
	for _, h := range c.Children {
		say("  ", "%s: %s", h.Name, h.stateReport.text(now))
		say("    ", "%s === %s", strings.Join(h.LocalTS, " "), strings.Join(h.RemoteTS, " "))
		if h.SAs > 0 || h.PacketsIn+h.PacketsOut > 0 {
			say("    ", "%s", trafficText(h.PacketsIn, h.BytesIn, time.Time{}, h.PacketsOut, h.BytesOut, time.Time{}, now))
		}
		if p := h.Path; p != nil && p.LoweredBy != "" {
			say("    ", "%s", pathText(p, now))
		}
		c.printTroubles(&h, w, now, s)
	}
	switch q := c.Silence; {
	case q == nil || c.State == "dead":
	case q.isSaid(c.Failure):
		say("  ", "no answer for %s", short(now.Sub(q.Since)))
	default:
		say("  ", "no answer for %s, if it stays so:", short(now.Sub(q.Since)))
		q.Failure.body(say)
	}
	for _, f := range c.Remarks {
		f.print(w, now, s, "remark")
	}
	if f := c.Failure; f != nil {
		f.print(w, now, s, "last failure")
	}
	if f := c.Aside; f != nil {
		f.print(w, now, s, "what is up is not concerned: another attempt failed")
	}
}

// printTroubles writes what has failed of a child, as far as it does not stand at the end as that of the connection.
func (c *connReport) printTroubles(h *childReport, w io.Writer, now time.Time, s screen) {
	said := func(f *failureReport) bool {
		return f == nil || slices.ContainsFunc(append([]*failureReport{c.Failure, c.Aside}, c.Remarks...), func(o *failureReport) bool {
			return o != nil && o.Message == f.Message
		})
	}
	for _, f := range h.Remarks {
		if !said(f) {
			f.print(w, now, s, "remark on "+h.Name)
		}
	}
	if !said(h.Failure) {
		h.Failure.print(w, now, s, "last failure of "+h.Name)
	}
	if !said(h.Aside) {
		h.Aside.print(w, now, s, h.Name+" is not concerned: another attempt failed")
	}
}

// print writes an IKE SA and what it carries.
func (p *peerReport) print(say func(inset, format string, args ...any), now time.Time) {
	role := "responder"
	if p.Initiator {
		role = "initiator"
	}
	since := p.State
	switch {
	case p.Since.IsZero():
	case p.State == "established" || p.State == "connecting":
		since += " for " + short(now.Sub(p.Since))
	default: // which says nothing about how long it has been so
		since += ", established " + short(now.Sub(p.Since)) + " ago"
	}
	if !p.UpSince.IsZero() && p.UpSince.Before(p.Since.Add(-time.Second)) {
		since += ", in all " + short(now.Sub(p.UpSince))
	}
	say("  ", "%s [%s] <-> %s [%s]", p.Local, p.LocalID, p.Remote, p.RemoteID)
	say("    ", "IKE SA #%d %s, %s here; SPIs %s_i %s_r", p.ID, since, role, p.SPIi, p.SPIr)
	var facts []string
	add := func(format string, args ...any) { facts = append(facts, fmt.Sprintf(format, args...)) }
	if p.Proposal != "" {
		add("%s", p.Proposal)
	}
	if p.Resumed {
		add("resumed")
	}
	if p.DowngradePrevention {
		add("downgrade prevention")
	}
	if p.NATText != "" {
		add("NAT: %s", p.NATText)
	}
	if !p.Heard.IsZero() {
		add("heard %s ago", short(now.Sub(p.Heard)))
	}
	if !p.NextRekey.IsZero() {
		add("rekeys in %s", short(p.NextRekey.Sub(now)))
	}
	if !p.NextReauth.IsZero() {
		add("authenticates again in %s", short(p.NextReauth.Sub(now)))
	}
	if len(facts) > 0 {
		say("    ", "%s", strings.Join(facts, "; "))
	}
	if p.User != "" {
		say("    ", "%s", userText(p))
	}
	if len(p.RemoteVIPs) > 0 {
		say("    ", "was given %s", strings.Join(p.RemoteVIPs, " and "))
	}
	if p.Certificate != "" {
		say("    ", "certificate %q, valid until %s", p.Certificate, p.CertificateUntil.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if p.PPK != "" {
		say("    ", "post-quantum preshared key %q", p.PPK)
	}
	if p.MOBIKE {
		say("    ", "%s", mobikeText(p.LocalAddrs, p.RemoteAddrs))
	}
	if len(p.Requests) > 0 {
		say("    ", "outstanding: %s", strings.Join(p.Requests, ", "))
	}
	if q := p.Silence; q != nil {
		say("    ", "no answer to %s for %s, sent again %d of %d times", q.Request, short(now.Sub(q.Since)), q.Repeated, q.Tries)
	}
	for _, x := range p.Children {
		transport := "ESP in UDP"
		if x.Transport == "esp" {
			transport = "ESP without UDP"
		}
		state := "installed for " + short(now.Sub(x.Since))
		if x.State != "installed" {
			state = x.State + ", installed " + short(now.Sub(x.Since)) + " ago"
		}
		say("    ", "%s #%d %s; SPIs %s in %s out; %s", x.Child, x.ID, state, x.SPIIn, x.SPIOut, transport)
		say("      ", "%s === %s", strings.Join(x.LocalTS, " "), strings.Join(x.RemoteTS, " "))
		line := x.Proposal
		if !x.NextRekey.IsZero() && (x.State == "installed" || x.State == "rekeying") {
			line += "; rekeys in " + short(x.NextRekey.Sub(now))
		}
		say("      ", "%s", line)
		say("      ", "%s", trafficText(x.PacketsIn, x.BytesIn, x.LastIn, x.PacketsOut, x.BytesOut, x.LastOut, now))
	}
}

// mobikeText says which other addresses the two sides have told each other.
func mobikeText(here, there []string) string {
	if len(here)+len(there) == 0 {
		return "MOBIKE"
	}
	return fmt.Sprintf("MOBIKE; other addresses here: %s; there: %s", orNone(here), orNone(there))
}

// trafficText is what has come in and gone out, and when the last packet did.
func trafficText(packetsIn, bytesIn uint64, lastIn time.Time, packetsOut, bytesOut uint64, lastOut, now time.Time) string {
	one := func(what string, packets, bytes uint64, last time.Time) string {
		t := fmt.Sprintf("%s %d packets %s", what, packets, octets(bytes))
		if !last.IsZero() {
			t += ", last " + short(now.Sub(last)) + " ago"
		}
		return t
	}
	return one("in", packetsIn, bytesIn, lastIn) + "; " + one("out", packetsOut, bytesOut, lastOut)
}

func (f *failureReport) print(w io.Writer, now time.Time, s screen, what string) {
	say := func(inset, format string, args ...any) {
		for _, line := range s.wrap(fmt.Sprintf(format, args...), inset) {
			fmt.Fprintln(w, line)
		}
	}
	times := ""
	if f.Count > 1 {
		times = fmt.Sprintf(" (%d times since %s)", f.Count, f.First.Local().Format(timeForm))
	}
	say("  ", "%s %s ago%s:", what, short(now.Sub(f.Last)), times)
	f.body(say)
}

// body writes what has failed, and the fix.
func (f *failureReport) body(say func(inset, format string, args ...any)) {
	say("    ", "%s", f.Message)
	say("    ", "Fix: %s", f.Fix)
}

// pathText says why the MTU of a path is less than this host's interface has it.
func pathText(p *vici.PathStatus, now time.Time) string {
	why := "an ICMP message says so"
	if p.LoweredBy == vici.ByBlackHole {
		why = "larger packets vanish"
	}
	return fmt.Sprintf("path MTU %d, within the tunnel %d: %s, since %s ago", p.MTU, p.Inner, why, short(now.Sub(p.Since)))
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}

// text is a state in one phrase: "up for 3m, wanted up".
func (s stateReport) text(now time.Time) string {
	t := s.State
	if !s.Since.IsZero() {
		t += " for " + short(now.Sub(s.Since))
	}
	if q := s.Silence; q != nil {
		t += fmt.Sprintf(", no answer for %s (%s, sent again %d times)", short(now.Sub(q.Since)), q.Request, q.Repeated)
	}
	t += ", wanted " + s.Desired
	if s.WaitsFor != "" && s.State != "up" {
		t += ", waits for " + s.WaitsFor
	}
	if !s.NextRekey.IsZero() && s.State == "up" {
		t += ", rekeys in " + short(s.NextRekey.Sub(now))
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

// userText is who has come in, or who this side is: "user "ann" by eap-mschapv2, in staff".
func userText(p *peerReport) string {
	text := fmt.Sprintf("user %q", p.User)
	if p.Client {
		text = "as " + text
	}
	if p.UserMethod != "" {
		text += " by " + p.UserMethod
	}
	if len(p.UserGroups) > 0 {
		text += ", in " + strings.Join(p.UserGroups, ", ")
	}
	return text
}
