package variable

import (
	"slices"
	"strings"
	"testing"
)

// fixed is a Source whose values show the variable.
type fixed struct{}

func (fixed) AppendVariable(dst []byte, v *Variable) []byte {
	dst = append(dst, '<', 'a'+byte(v.Kind))
	return append(append(dst, v.Name...), '>')
}

func TestParse_expand(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"https://auth/x":                "https://auth/x",
		"$host":                         "<b>",
		"https://${host}x/$request_uri": "https://<b>x/<e>",
		"$HOST$Http_Host":               "<b><p>",
		"$arg_Page-$cookie_SID_x":       "<mPage>-<nSID_x>",
		"$http_X_Real_User":             "<ox-real-user>",
		"$http_host$best_http_host":     "<p><c>",
		"$remote_user$http_authorization$binary_remote_addr": "<l><oauthorization><k>",
	} {
		got, err := Parse(text)
		if err != nil || string(got.Append(nil, fixed{}, nil)) != want || got.String() != text {
			t.Errorf("%s: got %q, %v; want %q", text, got.Append(nil, fixed{}, nil), err, want)
		}
	}
}

func TestParse_refused(t *testing.T) {
	for text, want := range map[string]string{
		"$":                              "no name",
		"a$/b":                           "no name",
		"${host":                         "no name",
		"$server_port":                   "$server_port",
		"${}":                            "no name",
		"$http_":                         "not supported",
		"$hostname":                      "$hostname",
		"${host }":                       "no name",
		strings.Repeat("$host", 33):      "more than 32",
		strings.Repeat("x", MaxText+1):   "longer",
		"https://$host/$upstream_http_x": "$upstream_http_x",
	} {
		if got, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, %v; want an error with %q", text, got, err, want)
		}
	}
}

// Groups of an expression have one digit, as in nginx.
func TestSplit_groups(t *testing.T) {
	got, err := Split("/$1abc$host/$23${4}x")
	want := []Piece{{"/", "1"}, {"abc", "host"}, {"/", "2"}, {"3", "4"}, {"x", ""}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestHasSetVariable(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "$cookie_a$http_b": false, "$arg_a$remote_user": false, "k": false, "$cookie_a-$http_b": false,
		"$cookie_a$remote_addr": true, "$request_uri": true, "$query_string": false,
	} {
		parsed, err := Parse(text)
		if err != nil || parsed.HasSetVariable() != want {
			t.Errorf("%q: got %v, %v", text, !want, err)
		}
	}
}

func TestVariables_positions(t *testing.T) {
	parsed, err := Parse("https://$host/x$uri")
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	parsed.Variables(func(v *Variable, before int) { got = append(got, int(v.Kind), before) })
	if want := []int{int(Host), 8, int(Path), 10}; len(got) != 4 || got[0] != want[0] || got[1] != want[1] || got[3] != want[3] {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEscape(t *testing.T) {
	const hostile = "/a b?c=d&e=%2F#f\r\nX: \x80\"<"
	if got := string(AppendURL(nil, []byte(hostile))); got != "/a%20b?c=d&e=%2F%23f%0D%0AX:%20%80%22%3C" {
		t.Errorf("in a URL: %s", got)
	}
	if got := string(AppendComponent(nil, []byte("/a?b=c&d=~._-%"))); got != "%2Fa%3Fb%3Dc%26d%3D~._-%25" {
		t.Errorf("as a component: %s", got)
	}
}

func TestAppend_allocates_nothing(t *testing.T) {
	parsed, err := Parse("k-$host-$http_x")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 128)
	if n := testing.AllocsPerRun(100, func() { buf = parsed.Append(buf[:0], fixed{}, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("https://${host}/$request_uri?$")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := Parse(text)
		if err != nil {
			return
		}
		rest := string(AppendURL(nil, parsed.Append(nil, fixed{}, AppendURL)))
		if strings.ContainsAny(rest, "\r\n #") {
			t.Errorf("%q expands to %q", text, rest)
		}
	})
}
