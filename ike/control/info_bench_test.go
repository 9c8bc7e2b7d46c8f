package control

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"esplanade/config"
	"esplanade/ike/gateway"
)

// timed is a loop that counts its turns and what they took.
type timed struct {
	*still
	turns int
	took  time.Duration
}

func (l *timed) Call(ctx context.Context, f func(time.Time, *gateway.Manager)) error {
	began := time.Now()
	err := l.still.Call(ctx, f)
	l.turns++
	l.took += time.Since(began)
	return err
}

// BenchmarkInfo copies the state of a gateway with a thousand connections. us/turn is how long the event loop is kept from its other work
// at a time, on average.
func BenchmarkInfo(b *testing.B) {
	head, tail, _ := strings.Cut(office, "[secrets")
	var text strings.Builder
	for i := range 1000 {
		text.WriteString(strings.NewReplacer("office", fmt.Sprintf("c%d", i), "ppk_id = \"office\"\nppk_required = false\n", "", "10.2.0.0/16", fmt.Sprintf("10.%d.%d.0/24", 100+i/250, i%250),
			"192.0.2.2", fmt.Sprintf("198.51.%d.%d", 100+i/250, 1+i%250), "b.example", fmt.Sprintf("b%d.example", i)).Replace(head))
	}
	tail, _, _ = strings.Cut("[secrets"+tail, "[secrets.ppk")
	conf, err := config.Parse("test.toml", []byte(text.String()+tail))
	if err != nil {
		b.Fatal(err)
	}
	l := &timed{still: stillOf(conf)}
	if _, err := (Commands{l}).Info(b.Context()); err != nil { // in its first turn the gateway begins with its connections
		b.Fatal(err)
	}
	l.turns, l.took = 0, 0
	for b.Loop() {
		if info, err := (Commands{l}).Info(b.Context()); err != nil || len(info.Conns) != 1000 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(l.took.Microseconds())/float64(l.turns), "us/turn")
}
