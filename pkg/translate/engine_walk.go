package translate

// walk visits the Ingresses that are connected with each other.
type walk struct {
	*linkage
	hosts   map[*linkHost]bool
	cookies map[cookieKey]bool
	nodes   map[*node]bool
	queue   []*node
}

func (l *linkage) newWalk() *walk {
	return &walk{linkage: l, hosts: map[*linkHost]bool{}, cookies: map[cookieKey]bool{}, nodes: map[*node]bool{}}
}

// next returns the next visited Ingress after visiting its neighbors, or nil.
func (w *walk) next() *node {
	if len(w.queue) == 0 {
		return nil
	}
	n := w.queue[0]
	w.queue = w.queue[1:]
	for _, name := range n.keys.named {
		w.visitHost(w.linkage.hosts[name])
	}
	for i := range n.keys.listed {
		if h := w.linkage.hosts[n.keys.listed[i].name]; w.connectsListers(h) {
			w.visitHost(h)
		}
	}
	for _, key := range n.keys.cookies {
		w.visitCookie(key)
	}
	return n
}

func (w *walk) visit(nodes []*node) {
	for _, n := range nodes {
		if !w.nodes[n] {
			w.nodes[n] = true
			w.queue = append(w.queue, n)
		}
	}
}

func (w *walk) visitHost(h *linkHost) {
	if h == nil || w.hosts[h] {
		return
	}
	w.hosts[h] = true
	w.visit(h.namers)
	if w.connectsListers(h) {
		w.visit(h.listers)
	}
	for _, key := range w.domains[h.name] {
		w.visitCookie(key)
	}
	w.visitAny(h)
	if wildcard, found := wildcardOver(h.name); found {
		if above := w.linkage.hosts[wildcard]; above != nil && w.connects(h, above) {
			w.visitHost(above)
		}
		return
	}
	for _, exact := range w.below[h.name] {
		if w.connects(exact, h) {
			w.visitHost(exact)
		}
	}
}

// visitAny visits the hosts that inherit settings from the routes for any host, or these routes.
func (w *walk) visitAny(h *linkHost) {
	if h.name == "" {
		for exact := range w.challenged {
			w.visitHost(exact)
		}
	} else if w.isChallenged(h) {
		w.visitHost(w.linkage.hosts[""])
	}
}

// visitCookie visits the Ingresses with a cookie, and those of the host of its domain, whose cookies may have no domain.
func (w *walk) visitCookie(key cookieKey) {
	if w.cookies[key] {
		return
	}
	w.cookies[key] = true
	w.visit(w.linkage.cookies[key])
	if key.domain != "" {
		w.visitHost(w.linkage.hosts[key.domain])
	}
}
