package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"esplanade/ike/radius"
)

// radiusDescs are the metrics of the RADIUS servers. Their labels are the names of the configuration, and words.
type radiusDescs struct {
	up, outstanding, requests, retransmissions, timeouts, answers, seconds, dropped, waiting *prometheus.Desc
	recordsWaiting, records, orders, ordersDropped                                           *prometheus.Desc
}

func newRADIUSDescs(d func(name, help string, labels ...string) *prometheus.Desc) radiusDescs {
	return radiusDescs{
		up:              d("radius_up", "0 while the server does not answer when it should.", "server", "service"),
		outstanding:     d("radius_outstanding", "Requests that wait for an answer of the server.", "server", "service"),
		waiting:         d("radius_waiting", "Requests that wait until one of them has ended: as many are under way as sockets allow."),
		requests:        d("radius_requests_total", "Requests that the server was sent.", "server", "service"),
		retransmissions: d("radius_retransmissions_total", "Requests that the server was sent again.", "server", "service"),
		timeouts:        d("radius_timeouts_total", "Requests that the server has not answered.", "server", "service"),
		answers:         d("radius_answers_total", "Answers of the server, by what they say.", "server", "service", "answer"),
		seconds:         d("radius_answer_seconds_total", "The time that the answers have taken, in seconds: divide it by their number.", "server", "service"),
		dropped:         d("radius_dropped_total", "Datagrams that count for nothing, by why.", "server", "service", "reason"),
		recordsWaiting:  d("radius_accounting_waiting", "Records of accounting that no server has taken yet."),
		records:         d("radius_accounting_records_total", "Records of accounting that a server has taken, that a later one has replaced, and that were lost since too many waited.", "result"),
		orders:          d("radius_orders_total", "Orders of servers (Disconnect-Request, CoA-Request) by their result.", "result"),
		ordersDropped:   d("radius_orders_dropped_total", "Orders that were not answered, by why.", "reason"),
	}
}

func (r radiusDescs) all() []*prometheus.Desc {
	return []*prometheus.Desc{r.up, r.outstanding, r.waiting, r.requests, r.retransmissions, r.timeouts, r.answers, r.seconds, r.dropped, r.recordsWaiting, r.records, r.orders, r.ordersDropped}
}

// collect gives them. Without servers there are none.
func (r radiusDescs) collect(gauge func(*prometheus.Desc, float64, ...string), count func(*prometheus.Desc, uint64, ...string), seconds func(*prometheus.Desc, float64, ...string), x radius.Report) {
	if len(x.Services) == 0 {
		return
	}
	for _, s := range x.Services {
		of := []string{s.Server, s.Service.String()}
		gauge(r.up, number(s.Down.IsZero()), of...)
		gauge(r.outstanding, float64(s.Outstanding), of...)
		count(r.requests, s.Requests, of...)
		count(r.retransmissions, s.Retransmissions, of...)
		count(r.timeouts, s.Timeouts, of...)
		seconds(r.seconds, s.Latency.Seconds(), of...)
		if s.Service == radius.Accounting {
			count(r.answers, s.Responses, append(of, "response")...)
		} else {
			count(r.answers, s.Accepts, append(of, "accept")...)
			count(r.answers, s.Challenges, append(of, "challenge")...)
			count(r.answers, s.Rejects, append(of, "reject")...)
		}
		for d := range radius.Drops {
			count(r.dropped, s.Dropped[d], append(of, d.String())...)
		}
	}
	gauge(r.waiting, float64(x.Waiting))
	gauge(r.recordsWaiting, float64(x.Ledger.Waiting))
	count(r.records, x.Ledger.Sent, "sent")
	count(r.records, x.Ledger.Replaced, "replaced")
	count(r.records, x.Ledger.Lost, "lost")
	count(r.orders, x.Orders.Done, "done")
	count(r.orders, x.Orders.Refused, "refused")
	count(r.orders, x.Orders.Repeated, "repeated")
	for d := range radius.OrderDrops {
		count(r.ordersDropped, x.Orders.Dropped[d], d.String())
	}
}
