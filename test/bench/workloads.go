package main

import "fmt"

// workload is one kind of load for all proxies.
type workload struct {
	name  string
	title string
	unit  string // the unit that is counted
	wire  wire
	filters
	open  func(dialer) (client, error)
	count int  // concurrent clients
	fresh bool // one connection per request
	idle  bool // connections are idle, and memory is measured
	// share makes an open loop: clients send at a constant rate, this share of the capacity of the slowest proxy, and the
	// 99th percentile is compared instead of CPU time.
	share float64
	wrk   bool // wrk sends the requests, instead of the clients of this program
	// limits are the maximum ratios of Limpet's figure to a rival's, and bestLimit is the maximum ratio to the best rival.
	// most is the maximum memory per idle connection, in bytes. Without any, the target is the figure of the best rival.
	limits    map[string]float64
	bestLimit float64
	most      float64
}

const (
	clients = 64
	kib     = 1 << 10
	mib     = 1 << 20
	// h2Clients have h2Streams concurrent streams each, like a browser that loads a page.
	h2Clients = 2
	h2Streams = 100
)

func allWorkloads() []*workload {
	small := request{method: "GET", path: "/cart/items?page=2", download: smallBody}
	secure := wire{TLS: true}
	return []*workload{
		http1Workload(workload{name: "get", title: "Small GET on keep-alive connections",
			limits: map[string]float64{nginxName: 0.90, haproxyName: 0.85, luaName: 0.50, caddyName: 0.35, relayName: 1.25}}, small),
		http1Workload(workload{name: "get-wrk", title: "The same, sent by wrk", wrk: true,
			limits: map[string]float64{nginxName: 1, relayName: 1.10}}, small),
		http1Workload(workload{name: "rate", title: "Small GET at half of the capacity", share: 0.5, bestLimit: 1.1}, small),
		http1Workload(workload{name: "filters", title: "Small GET through a redirect, CORS, an allow list, a rewrite and a limit",
			filters: filters{Set: true}, limits: map[string]float64{plainName: 1.05, nginxName: 1}}, small),
		http1Workload(workload{name: "auth", title: "Small GET about each of which a service decides",
			filters: filters{Auth: true}, limits: map[string]float64{nginxName: 1}}, small),
		http1Workload(workload{name: "auth-cached", title: "Small GET about which a cached decision of a service decides",
			filters: filters{Auth: true, Cached: true}, limits: map[string]float64{nginxName: 1}}, small),
		http1Workload(workload{name: "connect", title: "New connection for each small GET", fresh: true}, small),
		http1Workload(workload{name: "download-10k", title: "Download of 10 KiB"}, download(10*kib)),
		http1Workload(workload{name: "upload-10k", title: "Upload of 10 KiB"}, upload(10*kib)),
		http1Workload(workload{name: "download-1m", title: "Download of 1 MiB"}, download(mib)),
		http1Workload(workload{name: "upload-1m", title: "Upload of 1 MiB"}, upload(mib)),
		http1Workload(workload{name: "tls", title: "Small GET on keep-alive TLS connections", wire: secure}, small),
		http1Workload(workload{name: "handshake", title: "New TLS connection for each small GET", wire: secure, fresh: true,
			limits: map[string]float64{nginxName: 1.20}}, small),
		{
			name: "http2", title: "Small GET over HTTP/2 and TLS, 100 streams on each connection", unit: "request",
			wire: wire{TLS: true, HTTP2: true}, count: h2Clients,
			open: func(d dialer) (client, error) { return openHTTP2(d, h2Streams) },
		},
		{
			name: "grpc", title: "gRPC unary calls over TLS, 100 on each connection", unit: "call",
			wire: wire{TLS: true, HTTP2: true, GRPC: true}, count: h2Clients,
			open: func(d dialer) (client, error) { return openGRPC(d, h2Streams) },
		},
		{
			name: "websocket", title: "WebSocket, echo of a short message", unit: "message",
			count: clients, open: openSocket,
		},
		http1Workload(workload{name: "idle", title: "Idle keep-alive connections", idle: true, most: 8 * kib}, small),
		http1Workload(workload{name: "idle-tls", title: "Idle keep-alive TLS connections", idle: true, wire: secure}, small),
	}
}

func http1Workload(w workload, r request) *workload {
	w.unit, w.count = "request", clients
	w.open = func(d dialer) (client, error) { return openHTTP1(d, r, w.fresh) }
	return &w
}

func download(n int) request {
	return request{method: "GET", path: fmt.Sprintf("/bytes/%d", n), download: n}
}

func upload(n int) request {
	return request{method: "POST", path: "/cart/items", upload: n, download: smallBody}
}
