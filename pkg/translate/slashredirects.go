package translate

import (
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// slashed is an exact path that ends with a slash. Requests for the path without it are redirected.
type slashed struct {
	key        routeKey
	isRelative bool
}

// addSlashRedirects adds a redirect for the path without the slash of each slashed path, unless a route has that path. nginx
// sends such a redirect before it checks access, and only if the location passes requests to a server:
// https://nginx.org/en/docs/http/ngx_http_core_module.html#location
func (b *builder) addSlashRedirects() {
	for _, s := range b.slashed {
		target := b.routes.find(s.key)
		key := s.key
		key.path = strings.TrimSuffix(key.path, "/")
		prefix := key
		prefix.kind = model.PathPrefix
		if _, taken := b.routes.taken[prefix]; taken || target.Closed != "" || !b.routes.take(key, target.Source) {
			continue
		}
		f := &model.Filters{SlashRedirect: &model.SlashRedirect{Path: key.path, IsRelative: s.isRelative}}
		if target.Filters != nil {
			f.HTTPSRedirect = target.Filters.HTTPSRedirect
		}
		b.routes.append(key, model.Route{
			Host: key.host, Path: key.path, PathType: key.kind, Conditions: target.Conditions, Source: target.Source,
			Limits: target.Limits, IsUnlogged: target.IsUnlogged, Filters: f,
		})
	}
}
