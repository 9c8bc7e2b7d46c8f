package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// The table of tunnels: a line for each child and peer, worst first.

// short is a duration in two units at most, such as 2m40s or 3d4h.
func short(d time.Duration) string {
	d = max(d, 0)
	const day = 24 * time.Hour
	switch {
	case d < time.Hour:
		return d.Round(time.Second).String()
	case d < day:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d < 100*day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	}
	return fmt.Sprintf("%dd", d/day)
}

// The widths of columns.
const (
	columnGap   = 2
	minNameCol  = 10
	minPeerCol  = 8
	reasonInset = 4
	// restLines are kept free above and below the table: what runs, what is dropped, how to see more; and on a narrow screen, on which
	// these are broken, moreLines in addition.
	restLines, moreLines = 9, 4
	narrow               = 90
	leastTable           = 5
	// withTraffic is how wide a screen is at least on which the table has columns for the traffic.
	withTraffic = 60
	// fullShare: so much of the lines of a screen may be reasons in full; the other tunnels have theirs in one line.
	fullShare = 2
)

// tableLines are those that a table may have.
func (s screen) tableLines() int {
	rest := restLines
	if s.width < narrow {
		rest += moreLines
	}
	return max(s.lines-rest, leastTable)
}

// writeTable writes the lines of tunnels, at most so many lines of text; 0 is all. It returns those that it has left out.
func writeTable(w io.Writer, list []tunnel, now time.Time, s screen) (left []tunnel) {
	shown := len(list)
	if s.lines > 0 {
		shown = min(shown, s.tableLines())
	}
	reasons := reasonsOf(list[:shown], s)
	if s.lines > 0 {
		// The table and its reasons fit the screen.
		lines := 1
		for i := range shown {
			lines += 1 + len(reasons[i])
			if lines > s.tableLines() && i > 0 {
				shown = i
				break
			}
		}
	}
	cells := [][]string{{"NAME", "STATE", "SINCE", "PEER", "IN", "OUT"}}
	for _, t := range list[:shown] {
		since := ""
		if !t.since.IsZero() {
			since = short(now.Sub(t.since))
		}
		cells = append(cells, []string{t.name, t.state, since, t.peer, octets(t.in), octets(t.out)})
	}
	if s.width < withTraffic {
		for i, row := range cells {
			cells[i] = row[:4]
		}
	}
	width := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, c := range row {
			width[i] = max(width[i], columns(c))
		}
	}
	room := s.width - columnGap*(len(width)-1)
	for i, n := range width {
		if i != 0 && i != 3 {
			room -= n
		}
	}
	if width[0]+width[3] > room {
		width[3] = max(min(width[3], max(room-width[0], room/2)), minPeerCol)
		width[0] = max(room-width[3], minNameCol)
		if over := width[0] + width[3] - room; over > 0 {
			width[1] -= over // what a state says first is most of it
		}
	}
	for i, row := range cells {
		var b strings.Builder
		for j, c := range row {
			if j > 0 {
				b.WriteString(strings.Repeat(" ", columnGap))
			}
			if c = middle(c, width[j]); j == 1 {
				c = end(row[j], width[j])
			}
			pad := strings.Repeat(" ", width[j]-columns(c))
			if j >= 4 { // numbers stand at the right
				b.WriteString(pad + c)
			} else {
				b.WriteString(c + pad)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
		if i > 0 {
			for _, line := range reasons[i-1] {
				fmt.Fprintln(w, line)
			}
		}
	}
	return list[shown:]
}

// reasonsOf are the lines below each tunnel. The same failure is written in full once, and only as long as there is room.
func reasonsOf(list []tunnel, s screen) [][]string {
	room := 1 << 30
	if s.lines > 0 {
		room = s.lines / fullShare
	}
	said := map[string]bool{}
	out := make([][]string, len(list))
	for i, t := range list {
		full, brief := t.reason(s)
		if t.failure != nil && said[t.failure.Message] {
			full = brief
		}
		if len(full) > room {
			out[i] = brief
			continue
		}
		room -= len(full)
		out[i] = full
		if t.failure != nil {
			said[t.failure.Message] = true
		}
	}
	return out
}

// reason is why a tunnel is as it is: in full, and in one line at most.
func (t tunnel) reason(s screen) (full, brief []string) {
	inset := strings.Repeat(" ", reasonInset)
	f := t.failure
	if f == nil {
		if t.next == "" {
			return nil, nil
		}
		full = s.wrap(t.next, inset)
		return full, full[:1]
	}
	head := t.next
	if t.provisional {
		head += "; if it stays so:"
	}
	if head != "" {
		full = append(full, s.wrap(head, inset)...)
	}
	full = append(full, s.wrap(f.Message+t.when(), inset)...)
	full = append(full, s.wrap("Fix: "+f.Fix, inset)...)
	line := f.title()
	if t.next != "" {
		line = t.next + ": " + line
	}
	return full, []string{inset + end(line, s.width-reasonInset)}
}

// when says how often the failure has happened, and when last.
func (t tunnel) when() string {
	f := t.failure
	switch {
	case t.provisional || f.Last.IsZero():
		return ""
	case f.Count > 1:
		return fmt.Sprintf(" (%d times since %s, last %s ago)", f.Count, f.First.Local().Format(timeForm), short(t.now.Sub(f.Last)))
	}
	return fmt.Sprintf(" (%s ago)", short(t.now.Sub(f.Last)))
}

// title is the beginning of a failure's message: its code, what it concerns and its title.
func (f *failureReport) title() string { return title(f.Message) }

func title(message string) string {
	parts := strings.SplitN(message, ": ", 3)
	return strings.Join(parts[:min(len(parts), 2)], ": ")
}

// summary counts tunnels: "12 tunnels: 10 up, 2 not as wanted (1 waiting, 1 up without an answer)".
func summary(list []tunnel) string {
	up, wrong := 0, 0
	for _, t := range list {
		if t.concern == concernUp || strings.HasPrefix(t.state, "up") {
			up++
		}
		if !t.wanted {
			wrong++
		}
	}
	s := plural(len(list), "tunnel") + fmt.Sprintf(": %d up", up)
	if wrong == 0 {
		return s + ", all as wanted"
	}
	return s + fmt.Sprintf(", %d not as wanted", wrong)
}

// byState counts tunnels by their states: "3 waiting, 960 up".
func byState(list []tunnel) string {
	count := map[string]int{}
	var order []string
	for _, t := range list {
		state := t.state
		if t.concern == concernSilent {
			state = "up without an answer"
		}
		if count[state]++; count[state] == 1 {
			order = append(order, state)
		}
	}
	for i, state := range order {
		order[i] = fmt.Sprintf("%d %s", count[state], state)
	}
	return strings.Join(order, ", ")
}
