package soak

import (
	"testing"
	"time"
)

func TestReference(t *testing.T) {
	r, err := startReference()
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if units, cpu := r.read(); units >= 3 {
			if each := cpu / time.Duration(units); each <= 0 || each > time.Second {
				t.Errorf("%v for each of %d", each, units)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("it does not work")
		}
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
}
