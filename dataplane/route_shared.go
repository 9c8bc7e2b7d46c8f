package dataplane

import "esplanade/esp"

// routeFor is the route of a child's outbound SA. It is that of its inbound SA where that goes the same way, as it does
// almost always: what the kernel knows of a path takes several system calls to ask for. UpdatePath has the two share one as
// well.
func (e *Engine) routeFor(ch *child, p esp.Path) (*route, error) {
	if ch.in != nil {
		if rt := ch.in.route.Load(); rt != nil && rt.path == p {
			return rt, nil
		}
	}
	return e.route(p)
}
