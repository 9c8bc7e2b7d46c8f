package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"esplanade/bench/document"
	"esplanade/bench/stats"
)

// Geometry of the plot, in pixels.
const (
	svgWidth   = 760
	svgLeft    = 210 // where bars begin; titles stand to the left
	svgRight   = 90  // room for the figure behind the longest bar
	svgRow     = 30
	svgBar     = 18
	svgHead    = 62
	svgPanel   = 44 // heading of a panel
	svgAxis    = 30 // ticks and their numbers
	svgFoot    = 34
	svgWhisker = 5 // half of the height of a whisker's ends
	maxTicks   = 8 // of the scale
)

// svgStyle follows the reader's colour scheme; without one, it is the light one. Both pass as text on their background.
const svgStyle = `
:root{--ink:#1f2328;--soft:#59636e;--grid:#d1d9e0;--paper:#ffffff;--ours:#0969da;--kin:#80b6f0;--other:#8c959f;--mark:#1f2328}
@media(prefers-color-scheme:dark){:root{--ink:#f0f6fc;--soft:#9198a1;--grid:#3d444d;--paper:#0d1117;--ours:#4493f8;--kin:#2b5a96;--other:#656c76;--mark:#f0f6fc}}
text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:13px;fill:var(--ink)}
.title{font-size:16px;font-weight:600}.panel{font-weight:600}.soft{fill:var(--soft);font-size:12px}
.paper{fill:var(--paper)}.ours{fill:var(--ours)}.kin{fill:var(--kin)}.other{fill:var(--other)}
.grid{stroke:var(--grid);stroke-width:1}.whisker{stroke:var(--mark);stroke-width:1.5;fill:none}
`

// SVG draws the throughput of one TCP stream: a bar for each contestant's median, a whisker from the least to the
// greatest, a panel for each wire, all on one scale.
func (r *Results) SVG(w io.Writer) error {
	type bar struct {
		title, class string
		stats.Summary
	}
	type panel struct {
		title string
		bars  []bar
	}
	var panels []panel
	top, rows := 0.0, 0
	for _, wire := range r.wires() {
		p := panel{title: capital(wire.Title())}
		for _, c := range r.Contestants {
			s := stats.Summarise(slices.Collect(maps.Values(r.values(wire, c.Key, TCP1))))
			if s.N == 0 {
				continue
			}
			p.bars = append(p.bars, bar{c.Title, svgClass(c.Key), s})
			top = max(top, s.Max)
		}
		if len(p.bars) > 0 {
			panels, rows = append(panels, p), rows+len(p.bars)
		}
	}
	step := document.Tick(top, maxTicks)
	scale := float64(svgWidth-svgLeft-svgRight) / max(math.Ceil(top/step)*step, step)
	x := func(v float64) float64 { return svgLeft + v*scale }

	height := svgHead + rows*svgRow + len(panels)*(svgPanel+svgAxis) + svgFoot
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="t d">`+"\n",
		svgWidth, height, svgWidth, height)
	const title = "TCP through the tunnel, one stream"
	fmt.Fprintf(&b, "<title id=\"t\">%s</title>\n<desc id=\"d\">Median throughput in Gbit/s by contestant:", title)
	for _, p := range panels {
		fmt.Fprintf(&b, " %s:", document.Escape(p.title))
		for _, x := range p.bars {
			fmt.Fprintf(&b, " %s %s;", document.Escape(x.title), two(x.Median))
		}
	}
	fmt.Fprintf(&b, "</desc>\n<style>%s</style>\n<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", svgStyle, svgWidth, height)
	fmt.Fprintf(&b, `<text class="title" x="16" y="28">%s</text>`+"\n", title)
	fmt.Fprintf(&b, `<text class="soft" x="16" y="48">Gbit/s of payload, both gateways and both endpoints on %s. Bars are medians of %s, whiskers the range.</text>`+"\n",
		plural(r.Conditions.CPUs, "CPU"), plural(r.Conditions.Runs, "run"))
	y := svgHead
	for _, p := range panels {
		fmt.Fprintf(&b, `<text class="panel" x="16" y="%d">%s</text>`+"\n", y+26, document.Escape(p.title))
		y += svgPanel
		bottom := y + len(p.bars)*svgRow
		for v := 0.0; v <= math.Ceil(top/step)*step+step/1e6; v += step {
			fmt.Fprintf(&b, `<line class="grid" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, x(v), y-4, x(v), bottom)
			fmt.Fprintf(&b, `<text class="soft" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(v), bottom+16, tickLabel(v, step))
		}
		for _, bar := range p.bars {
			mid := float64(y) + svgRow/2
			fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`, svgLeft-10, mid+4.5, document.Escape(bar.title))
			fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%.1f" width="%.1f" height="%d" rx="2"/>`, bar.class, svgLeft, mid-svgBar/2, bar.Median*scale, svgBar)
			if bar.N > 1 {
				fmt.Fprintf(&b, `<path class="whisker" d="M%.1f %.1fH%.1fM%.1f %.1fv%dM%.1f %.1fv%d"/>`, x(bar.Min), mid, x(bar.Max),
					x(bar.Min), mid-svgWhisker, 2*svgWhisker, x(bar.Max), mid-svgWhisker, 2*svgWhisker)
			}
			fmt.Fprintf(&b, `<text x="%.1f" y="%.1f">%s</text>`+"\n", x(max(bar.Max, bar.Median))+8, mid+4.5, two(bar.Median))
			y += svgRow
		}
		y += svgAxis
	}
	fmt.Fprintf(&b, `<text class="soft" x="16" y="%d">%s</text>`+"\n</svg>\n", height-14, document.Escape(r.footnote()))
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Results) footnote() string {
	c := &r.Conditions
	commit := c.Commit
	if len(commit) > 12 {
		commit = commit[:12]
	}
	return fmt.Sprintf("%s, Linux %s, %s, commit %s", c.CPU, c.Kernel, c.Started.UTC().Format("2006-01-02"), commit)
}

// svgClass gives Esplanade as it is used the strongest colour, and its variants a weaker one.
func svgClass(key string) string {
	switch {
	case key == KeyEsplanade:
		return "ours"
	case strings.HasPrefix(key, KeyEsplanade):
		return "kin"
	}
	return "other"
}

func tickLabel(v, step float64) string {
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	return fmt.Sprintf("%.*f", decimals, v)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
