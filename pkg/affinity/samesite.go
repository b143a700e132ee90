package affinity

import "bytes"

// discardsSameSiteNone reports whether the browser that sent req discards cookies with SameSite=None, by the rules of
// ingress-nginx (rootfs/etc/nginx/lua/util/same_site.lua, from
// https://www.chromium.org/updates/same-site/incompatible-clients).
func discardsSameSiteNone(req Request) bool {
	agent, _ := req.Header("User-Agent")
	if len(agent) > maxAgent {
		return false
	}
	for _, part := range sameSiteDiscarding {
		if bytes.Contains(agent, part) {
			return true
		}
	}
	return isSafariOnMojave(agent)
}

var sameSiteDiscarding = [][]byte{
	[]byte("Chrome/4"), []byte("Chrome/5"), []byte("Chrome/6"), []byte("CPU iPhone OS 12"), []byte("iPad; CPU OS 12"),
}

var mojave, safari, chrome = []byte("Intel Mac OS X 10_14"), []byte("Safari"), []byte("Chrome")

// isSafariOnMojave reports whether a User-Agent is Safari on macOS 10.14.
func isSafariOnMojave(agent []byte) bool {
	return bytes.Contains(agent, mojave) && bytes.Contains(agent, safari) && !bytes.Contains(agent, chrome)
}
