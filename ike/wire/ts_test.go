package wire

import (
	"net/netip"
	"reflect"
	"testing"
)

const tsMixed = `
	02 000000                            # two selectors
	07 06 0010 0050 0050                 # IPv4, TCP, port 80
	0a0a0000 0a0a00ff
	08 00 0028 0000 ffff                 # IPv6, any
	20010db8000000000000000000000000
	20010db800000000ffffffffffffffff
`

func mixedSelectors() []TrafficSelector {
	return []TrafficSelector{
		{IPProtocol: 6, StartPort: 80, EndPort: 80, Start: netip.MustParseAddr("10.10.0.0"), End: netip.MustParseAddr("10.10.0.255")},
		{StartPort: 0, EndPort: 65535, Start: netip.MustParseAddr("2001:db8::"), End: netip.MustParseAddr("2001:db8::ffff:ffff:ffff:ffff")},
	}
}

func TestTS(t *testing.T) {
	checkPayload(t, &TS{Selectors: mixedSelectors()}, tsMixed)
	checkPayload(t, &TS{Responder: true, Selectors: mixedSelectors()}, tsMixed)
	// OPAQUE ports, and a range that runs backwards: not for the parser to judge (C12).
	checkPayload(t, &TS{Selectors: []TrafficSelector{{
		StartPort: 65535, EndPort: 0, Start: netip.MustParseAddr("10.0.0.9"), End: netip.MustParseAddr("10.0.0.1"),
	}}}, "01 000000 07 00 0010 ffff 0000 0a000009 0a000001")
	// An IPv4-mapped address is an IPv6 address here.
	checkPayload(t, &TS{Selectors: []TrafficSelector{{
		Start: netip.MustParseAddr("::ffff:1.2.3.4"), End: netip.MustParseAddr("::ffff:1.2.3.4"),
	}}}, "01 000000 08 00 0028 0000 0000 00000000000000000000ffff01020304 00000000000000000000ffff01020304")
}

// Selectors of types that aren't understood are skipped and counted.
func TestTSUnknown(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       *TS
	}{
		{"between others", `03 ffffff
			09 00 0018 0000 0000 00000000 00000000 00000000 00000000
			07 00 0010 0000 ffff 0a000000 0a0000ff
			0a 00 0008 61626364`,
			&TS{Unknown: 2, Selectors: []TrafficSelector{{EndPort: 65535, Start: netip.MustParseAddr("10.0.0.0"), End: netip.MustParseAddr("10.0.0.255")}}}},
		{"alone", "01 000000 0a 00 0004", &TS{Unknown: 1}},
	} {
		ts, err := parseTS(PayloadTSi, unhex(t, c.body), 0)
		if err != nil || !reflect.DeepEqual(ts, c.want) {
			t.Errorf("%s: %+v, %v\nwant %+v", c.name, ts, err, c.want)
		}
	}
}

func TestTSMalformed(t *testing.T) {
	for _, pt := range []PayloadType{PayloadTSi, PayloadTSr} {
		checkMalformed(t, pt, []malformedCase{
			{"empty", "", 0, "0 octets"},
			{"three octets", "01 0000", 0, "3 octets, at least 4"},
			{"no selector", "00 000000", 0, "no traffic selector"},
			{"no selector but octets", "00 000000 07000010 0000ffff 0a000000 0a0000ff", 0, "no traffic selector"},
			{"none there", "01 000000", 4, "selector 1 of 1: 0 octets left"},
			{"one of two there", "02 000000 07000010 0000ffff 0a000000 0a0000ff", 20, "selector 2 of 2: 0 octets left"},
			{"255 selectors", "ff 000000 07000010 0000ffff 0a000000 0a0000ff", 20, "selector 2 of 255"},
			{"one more than counted", "01 000000 07000010 0000ffff 0a000000 0a0000ff 07", 20, "1 octets after the last selector"},
			{"length zero", "01 000000 07000000 0000ffff 0a000000 0a0000ff", 6, "length 0"},
			{"length three", "01 000000 0a000003", 6, "length 3"},
			{"length beyond the payload", "01 000000 07000011 0000ffff 0a000000 0a0000ff", 6, "length 17, 16 octets left"},
			{"IPv4 with the length of IPv6", "01 000000 07000028 0000ffff 20010db8000000000000000000000000 20010db8000000000000000000000000", 6, "length 40, TS_IPV4_ADDR_RANGE has 16"},
			{"IPv6 with the length of IPv4", "01 000000 08000010 0000ffff 0a000000 0a0000ff", 6, "length 16, TS_IPV6_ADDR_RANGE has 40"},
			{"IPv4 with header only", "01 000000 07000008 0000ffff", 6, "length 8"},
			{"second one of a wrong length", "02 000000 07000010 0000ffff 0a000000 0a0000ff 0700000f 0000ffff 0a000000 0a0000", 22, "selector 2 of 2: length 15"},
		})
	}
}

func TestTSLimits(t *testing.T) {
	ts := &TS{}
	for i := range 300 {
		a := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		ts.Selectors = append(ts.Selectors, TrafficSelector{EndPort: 65535, Start: a, End: a})
	}
	got, err := parseTS(PayloadTSi, ts.AppendBody(nil), 0)
	if err != nil || !reflect.DeepEqual(got.Selectors, ts.Selectors[:MaxTrafficSelectors]) {
		t.Errorf("300 selectors: %v; want the first %d", err, MaxTrafficSelectors)
	}
	v4, v6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::1")
	for _, s := range []TrafficSelector{{}, {Start: v4}, {End: v4}, {Start: v4, End: v6}, {Start: v6, End: v4}} {
		wantPanic(t, "addresses of two families or none", func() { (&TS{Selectors: []TrafficSelector{s}}).AppendBody(nil) })
	}
}

func FuzzParseTS(f *testing.F) {
	fuzzPayload(f, PayloadTSr, "", tsMixed, "01 000000 0a000004", "ff 000000 07000010 0000ffff 0a000000 0a0000ff")
}
