package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sampleResults is a run of three rounds with figures that are easy to reckon with.
func sampleResults() *Results {
	r := &Results{
		Conditions: Conditions{
			Started: time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC), Ended: time.Date(2026, 3, 4, 6, 0, 0, 0, time.UTC),
			Commit: "0123456789abcdef", Uncommitted: true, Kernel: "6.18.0", CPU: "Some CPU <R>", CPUs: 2, Go: "go1.26",
			Tools: map[string]string{"iperf3": "3.12"}, Runs: 3, TCPSeconds: 5, ProbeSeconds: 1, PingSeconds: 3,
			Reference: map[Wire]float64{WireSuper: 1.25}, Offloads: map[Wire][]string{WireSuper: {"tso on"}},
			Command: []string{"sidebyside", "-runs", "3"},
		},
		Contestants: []Contestant{
			{Key: KeyVeth, Title: "plain veth", MTU: 1500}, {Key: KeySwan, Title: "strongSwan & kernel-libipsec", Version: "5.9", Cipher: "AES-128-GCM", MTU: 1400},
			{Key: KeyWireGuard, Title: "wireguard-go"}, {Key: KeyEsplanade, Title: "Esplanade", Details: "wire: gso"},
			{Key: KeyNull, Title: "Esplanade, no encryption", Skipped: "no go"},
		},
		Failures: []Failure{{Run: 2, Wire: WireMTU, Contestant: KeySwan, What: "udp64", Error: "no\n  reply"}},
	}
	add := func(w Wire, c string, m Metric, vs ...float64) {
		for i, v := range vs {
			r.Samples = append(r.Samples, Sample{Run: i + 1, Wire: w, Contestant: c, Metric: m, Value: v})
		}
	}
	add(WireSuper, KeyVeth, TCP1, 17, 18, 16)
	add(WireSuper, KeySwan, TCP1, 0.9, 1, 0.8)
	add(WireSuper, KeyWireGuard, TCP1, 2.5, 2, 3)
	add(WireSuper, KeyEsplanade, TCP1, 5, 6, 5.5)
	add(WireSuper, KeyEsplanade, UDP64, 300e3, 310e3, 290e3)
	add(WireSuper, KeySwan, UDP64, 90e3, 100e3, 95e3)
	add(WireSuper, KeyWireGuard, UDP64, 80e3, 70e3, 75e3)
	add(WireSuper, KeyEsplanade, HalfP99, 300, 200, 250)
	add(WireSuper, KeyWireGuard, HalfP99, 300, 300, lostRoundTrip)
	add(WireMTU, KeyEsplanade, TCP1, 3, 3, 3)
	add(WireMTU, KeyWireGuard, TCP1, 2, 2, 2)
	return r
}

func TestJSONRoundTrip(t *testing.T) {
	r := sampleResults()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, got) {
		t.Errorf("read %+v\nwrote %+v", got, r)
	}
	for _, bad := range []string{"", "{", `{"format":99}`, "[]", `{"format":2,"series":[{"runs":[1,2],"values":[3]}]}`} {
		if _, err := Read(strings.NewReader(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestValuesTakeTheLastOfARun(t *testing.T) {
	r := &Results{Samples: []Sample{{Run: 1, Metric: TCP1, Value: 1}, {Run: 1, Metric: TCP1, Value: 2}, {Run: 2, Metric: TCP8, Value: 3}}}
	if got := r.values("", "", TCP1); !reflect.DeepEqual(got, map[int]float64{1: 2}) {
		t.Error(got)
	}
}

func TestJudge(t *testing.T) {
	r := sampleResults()
	byMetric := func(m Metric, den string) target {
		for _, x := range targets() {
			if x.Metric == m && x.Den == den {
				return x
			}
		}
		t.Fatalf("no target for %s / %s", m, den)
		return target{}
	}
	v := byMetric(TCP1, KeyWireGuard).judge(r, WireSuper)
	if !v.Ok || !v.Reached || v.Value != 2.2 || v.High != 3 {
		t.Errorf("one stream: %+v", v)
	}
	if v := byMetric(TCP1, KeyWireGuard).judge(r, WireMTU); !v.Ok || v.Reached || v.Value != 1.5 {
		t.Errorf("one stream, MTU wire: %+v", v)
	}
	// strongSwan is the better one here, with a median of 95e3.
	if v := byMetric(UDP64, KeyWireGuard).judge(r, WireSuper); !v.Reached || v.Value != 300e3/95e3 {
		t.Errorf("UDP: %+v", v)
	}
	if v := byMetric(HalfP99, KeyWireGuard).judge(r, WireSuper); v.Reached || v.Value != 250.0/300 {
		t.Errorf("latency: %+v", v)
	}
	if v := byMetric(TCP1, KeyNull).judge(r, WireSuper); v.Ok || v.Reached || !v.HasGoal {
		t.Errorf("without a denominator: %+v", v)
	}
	if v := byMetric(TCP1, KeyNull).judge(r, WireMTU); v.HasGoal {
		t.Errorf("no goal for this wire: %+v", v)
	}
}

// The better of two denominators may be the only one.
func TestJudgeOneOfTwo(t *testing.T) {
	target := target{Metric: UDP64, Num: "n", Den: "a", DenOr: "b", Goal: map[Wire]float64{WireSuper: 1}}
	r := &Results{Samples: []Sample{
		{Run: 1, Wire: WireSuper, Contestant: "n", Metric: UDP64, Value: 6}, {Run: 1, Wire: WireSuper, Contestant: "b", Metric: UDP64, Value: 2},
	}}
	if v := target.judge(r, WireSuper); v.Value != 3 {
		t.Errorf("only the second: %+v", v)
	}
	r.Samples[1].Contestant = "a"
	if v := target.judge(r, WireSuper); v.Value != 3 {
		t.Errorf("only the first: %+v", v)
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	if err := sampleResults().Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Side by side, 2026-03-04",
		"Medians of 3 runs",
		"| TCP, one stream: Esplanade / wireguard-go | 2.20 (1.83–3.00) | ≥ 2.2, reached | 1.50 | ≥ 1.8, **not reached** |",
		"| p99 round trip at half load: Esplanade / wireguard-go | 0.83 (0.00–1.00) | ≤ 0.8, **not reached** | not measured | ≤ 0.8 |",
		"| TCP, one stream: Esplanade / its own engine with encryption off | not measured | ≥ 0.65 | not measured | – |",
		"## Super-packet wire", "## MTU wire",
		"| plain veth | 17.00 (16.00–18.00) |  |  |  |",
		"| Esplanade | 300.0 (290.0–310.0) |  |  |",
		"| wireguard-go |  |  |  | 300 (300–lost) |  |  |",
		"same load is 1.25 Gbit/s",
		"| Esplanade, no encryption | not run: no go |",
		"wire: gso",
		"0123456789abcdef, with changes that are not committed",
		"* run 2, MTU wire, strongSwan & kernel-libipsec, udp64: no reply",
		"`sidebyside -runs 3`",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(b.String())
	}
	// Every row of a table has as many cells as its heading.
	cells := 0
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := strings.Count(line, "|")
		if cells != 0 && n != cells {
			t.Errorf("a row of %d cells in a table of %d: %s", n, cells, line)
		}
		cells = n
	}
}

func TestSVG(t *testing.T) {
	var b bytes.Buffer
	if err := sampleResults().SVG(&b); err != nil {
		t.Fatal(err)
	}
	// It is well-formed, with one bar for each contestant that has a figure, and nothing sticks out.
	svg := b.String()
	d := xml.NewDecoder(strings.NewReader(svg))
	bars, whiskers, texts := 0, 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		switch {
		case e.Name.Local == "rect" && attr["class"] != "paper":
			bars++
			x, w := number(t, attr["x"]), number(t, attr["width"])
			if w <= 0 || x+w > svgWidth {
				t.Errorf("a bar from %v, %v wide", x, w)
			}
		case e.Name.Local == "path":
			whiskers++
		case e.Name.Local == "text":
			texts++
		}
	}
	if bars != 6 || whiskers != 6 {
		t.Errorf("%d bars and %d whiskers, want 6 and 6", bars, whiskers)
	}
	if texts == 0 || !strings.Contains(svg, "prefers-color-scheme:dark") {
		t.Error("no text, or no dark colours")
	}
	// The bars are in proportion: 5.5 and 2.5 Gbit/s.
	m := regexp.MustCompile(`class="ours" x="210" y="[0-9.]+" width="([0-9.]+)"`).FindStringSubmatch(svg)
	o := regexp.MustCompile(`wireguard-go</text><rect class="other" x="210" y="[0-9.]+" width="([0-9.]+)"`).FindStringSubmatch(svg)
	if m == nil || o == nil {
		t.Fatalf("bars not found in\n%s", svg)
	}
	if q := number(t, m[1]) / number(t, o[1]); q < 2.19 || q > 2.21 {
		t.Errorf("the bars' proportion is %v", q)
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Nothing to draw, and nothing to tell, is no reason to fail.
func TestEmpty(t *testing.T) {
	var b bytes.Buffer
	if err := new(Results).SVG(&b); err != nil {
		t.Error(err)
	}
	if err := xml.Unmarshal(b.Bytes(), new(struct{})); err != nil {
		t.Error(err)
	}
	if err := new(Results).Markdown(io.Discard); err != nil {
		t.Error(err)
	}
}

func TestTickLabel(t *testing.T) {
	if got := tickLabel(0.4, 0.2); got != "0.4" {
		t.Error(got)
	}
	if got := tickLabel(15, 5); got != "15" {
		t.Error(got)
	}
}
