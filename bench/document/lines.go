package document

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// Panel is one diagram of a plot: lines over the seconds of a run.
type Panel struct {
	Title string // with the unit
	Lines []Line
}

// Line is a course of values. Points that are NaN leave a gap.
type Line struct {
	Name string
	X, Y []float64
}

// Geometry of a plot, in pixels.
const (
	plotWidth  = 760
	plotLeft   = 56
	plotRight  = 120 // names of the lines
	plotHead   = 44
	panelHigh  = 110
	panelHead  = 26
	panelBelow = 30
)

// plotStyle follows the reader's colour scheme; without one, it is the light one.
const plotStyle = `
:root{--ink:#1f2328;--soft:#59636e;--grid:#d1d9e0;--paper:#ffffff;--l0:#0969da;--l1:#bc4c00}
@media(prefers-color-scheme:dark){:root{--ink:#f0f6fc;--soft:#9198a1;--grid:#3d444d;--paper:#0d1117;--l0:#4493f8;--l1:#f0883e}}
text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:12px;fill:var(--soft)}
.title{font-size:16px;font-weight:600;fill:var(--ink)}.panel{font-weight:600;fill:var(--ink)}.paper{fill:var(--paper)}
.grid{stroke:var(--grid)}.l0,.l1{fill:none;stroke-width:1.5}.l0{stroke:var(--l0)}.l1{stroke:var(--l1)}
`

// SVG draws the panels one below the other, all over the same seconds, each from zero.
func SVG(title string, panels []Panel) string {
	end := 1.0
	for _, p := range panels {
		for _, l := range p.Lines {
			for _, x := range l.X {
				end = max(end, x)
			}
		}
	}
	height := plotHead + len(panels)*(panelHead+panelHigh+panelBelow)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n",
		plotWidth, height, plotWidth, height, Escape(title))
	fmt.Fprintf(&b, "<style>%s</style>\n<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", plotStyle, plotWidth, height)
	fmt.Fprintf(&b, `<text class="title" x="16" y="28">%s</text>`+"\n", Escape(title))
	x := func(v float64) float64 { return plotLeft + v/end*(plotWidth-plotLeft-plotRight) }
	y := plotHead
	for _, p := range panels {
		p.draw(&b, y, x, end)
		y += panelHead + panelHigh + panelBelow
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p Panel) draw(b *strings.Builder, top int, x func(float64) float64, end float64) {
	fmt.Fprintf(b, `<text class="panel" x="16" y="%d">%s</text>`+"\n", top+16, Escape(p.Title))
	most := 0.0
	for _, l := range p.Lines {
		for _, v := range l.Y {
			if !math.IsNaN(v) {
				most = max(most, v)
			}
		}
	}
	step := Tick(most, 4)
	most = max(math.Ceil(most/step)*step, step)
	bottom := float64(top + panelHead + panelHigh)
	at := func(v float64) float64 { return bottom - v/most*panelHigh }
	for v := 0.0; v <= most*1.0001; v += step {
		fmt.Fprintf(b, `<path class="grid" d="M%d %.1fH%.1f"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			plotLeft, at(v), x(end), plotLeft-6, at(v)+4, math.Round(v*1e6)/1e6)
	}
	for v, step := 0.0, Tick(end, 8); v <= end*1.0001; v += step {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%g s</text>`+"\n", x(v), bottom+16, v)
	}
	for i, l := range p.Lines {
		path, pen := "", "M"
		last := math.NaN()
		for j := range min(len(l.X), len(l.Y)) {
			if math.IsNaN(l.Y[j]) {
				pen = "M"
				continue
			}
			path += fmt.Sprintf("%s%.1f %.1f", pen, x(l.X[j]), at(l.Y[j]))
			pen, last = "L", l.Y[j]
		}
		if path == "" {
			continue
		}
		fmt.Fprintf(b, `<path class="l%d" d="%s"/><text x="%.1f" y="%.1f">%s</text>`+"\n", i%2, path, x(end)+8, at(last)+4+float64(14*i), Escape(l.Name))
	}
}

// Tick is 1, 2 or 5 times a power of ten, so that there are at most n steps up to top.
func Tick(top float64, n int) float64 {
	if !(top > 0) {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(top/float64(n))))
	for _, m := range []float64{1, 2, 5} {
		if top/(m*p) <= float64(n) {
			return m * p
		}
	}
	return 10 * p
}

// Escape makes a text part of an SVG.
func Escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
