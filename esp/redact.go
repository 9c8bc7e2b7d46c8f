package esp

import (
	"fmt"
	"io"
	"log/slog"
)

// Everything here that holds keys prints as what it is, never as what it holds,
// whatever the verb: a %+v in a log line must not give keys away.

func redacted(f fmt.State, what string, spi uint32, s Suite) {
	io.WriteString(f, fmt.Sprintf("%s{SPI %08x, %v}", what, spi, s))
}

// Format implements fmt.Formatter without showing keys.
func (c OutboundConfig) Format(f fmt.State, _ rune) {
	redacted(f, "esp.OutboundConfig", c.SPI, c.Suite)
}

// Format implements fmt.Formatter without showing keys.
func (c InboundConfig) Format(f fmt.State, _ rune) {
	redacted(f, "esp.InboundConfig", c.SPI, c.Suite)
}

// Format implements fmt.Formatter without showing keys.
func (o *Outbound) Format(f fmt.State, _ rune) {
	redacted(f, "esp.Outbound", o.spi, o.suite)
}

// Format implements fmt.Formatter without showing keys.
func (i *Inbound) Format(f fmt.State, _ rune) {
	redacted(f, "esp.Inbound", i.spi, i.suite)
}

// Format implements fmt.Formatter without showing what is left of a packet.
func (w *Scratch) Format(f fmt.State, _ rune) { io.WriteString(f, "esp.Scratch{}") }

// LogValue implements slog.LogValuer without showing keys.
func (c OutboundConfig) LogValue() slog.Value { return logValue(c.SPI, c.Suite) }

// LogValue implements slog.LogValuer without showing keys.
func (c InboundConfig) LogValue() slog.Value { return logValue(c.SPI, c.Suite) }

func logValue(spi uint32, s Suite) slog.Value {
	return slog.GroupValue(slog.String("spi", fmt.Sprintf("%08x", spi)), slog.String("suite", s.String()))
}
