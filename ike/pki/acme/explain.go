package acme

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/acme"
)

// maxErrorText is how much of an error is kept: the server may write anything.
const maxErrorText = 600

// rateLimit is how long the server wants to be left alone.
func rateLimit(err error) (time.Duration, bool) {
	var refused *acme.Error
	if !errors.As(err, &refused) {
		return 0, false
	}
	if d, ok := acme.RateLimit(refused); ok {
		if d == 0 {
			d = time.Hour // it says that there is a limit, and not which
		}
		return d, true
	}
	return 0, false
}

// explain is an error with what to do about it, in one line.
func explain(err error, o Options) string {
	fix := ""
	var challenge *challengeError
	var port *listenError
	var refused *acme.Error
	var network net.Error
	switch {
	case errors.As(err, &challenge) && o.Challenge == HTTP01:
		fix = fmt.Sprintf("let port 80 of %s reach this host, at %s", challenge.name, o.Listen)
	case errors.As(err, &challenge):
		fix = fmt.Sprintf("let port 443 of %s reach this host, at %s", challenge.name, o.Listen)
	case errors.As(err, &port):
		fix = "free the port for the minute that a challenge takes, or name another one with listen and forward it; below 1024 it takes root or CAP_NET_BIND_SERVICE"
	case errors.Is(err, context.DeadlineExceeded):
		fix = "see whether the ACME server is reached from this host"
	case errors.As(err, &refused):
		switch {
		case strings.HasSuffix(refused.ProblemType, ":rateLimited"):
			fix = "wait: the next attempt is when the server allows it"
		case strings.HasSuffix(refused.ProblemType, ":externalAccountRequired"):
			fix = "write eab_key_id and eab_hmac_key, which the operator of the server gives out"
		case strings.HasSuffix(refused.ProblemType, ":rejectedIdentifier"):
			fix = "write domains for which this server issues"
		case strings.HasSuffix(refused.ProblemType, ":accountDoesNotExist"):
			fix = "remove account.key in the folder of ACME for a new account"
		}
	case errors.As(err, &network):
		fix = "see whether the ACME server is reached from this host, and whether its CA is the system's or in cacerts"
	}
	text := strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, err.Error())
	if r := []rune(text); len(r) > maxErrorText {
		text = string(r[:maxErrorText]) + "…"
	}
	if fix != "" {
		text += ". Fix: " + fix
	}
	return text
}
