package vici

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestStatus: what the backend says comes out at the other end unchanged, text that is not ASCII included.
func TestStatus(t *testing.T) {
	b := newFake()
	_, path := startServer(t, b, Options{})
	got, err := dial(t, path).Status(t.Context(), "office")
	if err != nil {
		t.Fatal(err)
	}
	if want := testStatus(); !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if calls := b.took(); !reflect.DeepEqual(calls, []string{`status "office"`}) {
		t.Errorf("calls %q", calls)
	}
	f := got.Connections[0].State.LastFailure
	if full := testFailure().Error(); f.Text+" Fix: "+f.Fix != full {
		t.Errorf("the failure is not whole: %+v", f)
	}
	j, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"desired":"up"`, `"current":"waiting"`, `"since":"2026-05-04T09:59:03Z"`, `"code":"` + string(testFailure().Code) + `"`, `"count":37`,
		`"features":[{"name":"UDP_GRO","used":true},`, `"drops":[{"direction":"in","reason":"replay","packets":3}`,
	} {
		if !strings.Contains(string(j), want) {
			t.Errorf("no %s in %s", want, j)
		}
	}
	b.set(func() { b.err = testFailure() })
	var ce *CommandError
	if _, err := dial(t, path).Status(t.Context(), ""); !errors.As(err, &ce) || err.Error() != testFailure().Error() {
		t.Errorf("error %v", err)
	}
}

func TestStatusZero(t *testing.T) {
	g, err := parseGatewayStatus((&GatewayStatus{}).message())
	if err != nil || !reflect.DeepEqual(g, GatewayStatus{}) {
		t.Errorf("%+v, %v", g, err)
	}
	c, err := parseConnStatus((&ConnStatus{Name: "x"}).message())
	if err != nil || !reflect.DeepEqual(c, ConnStatus{Name: "x"}) {
		t.Errorf("%+v, %v", c, err)
	}
	long := FailureStatus{Text: strings.Repeat("é", maxText)}
	c, err = parseConnStatus((&ConnStatus{Name: "x", State: State{LastFailure: &long}}).message())
	if err != nil || len(c.State.LastFailure.Text) > maxText {
		t.Errorf("a long failure: %d octets, %v", len(c.State.LastFailure.Text), err)
	}
}

func TestStatusMalformed(t *testing.T) {
	if _, err := parseConnStatus(new(Message)); err == nil {
		t.Error("an event without a connection")
	}
	for _, field := range []string{"since", "next-try", "next-rekey"} {
		m := new(Message)
		m.Sub("x").Set(field, "yesterday")
		if _, err := parseConnStatus(m); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, field := range []string{"sas", "bytes-in"} {
		m := new(Message)
		m.Sub("x").Sub("children").Sub("c").Set(field, "many")
		if _, err := parseConnStatus(m); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := parseGatewayStatus(new(Message).Set("ike-sas", "x").Set("since", "y")); err == nil {
		t.Error("malformed gateway")
	}
}

// TestStatusTimes: times keep their precision, and the zone does not matter.
func TestStatusTimes(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 2, 3, 456789, time.FixedZone("x", 7200))
	c, err := parseConnStatus((&ConnStatus{Name: "x", State: State{Since: at}}).message())
	if err != nil || !c.State.Since.Equal(at) {
		t.Errorf("%v, %v", c.State.Since, err)
	}
}
