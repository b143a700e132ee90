package manifest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// reasons returns "OBJECT REASON" for each problem that reading found.
func reasons(c *Contents) string {
	var out []string
	for _, r := range c.Snapshot.Reports {
		for _, p := range r.Problems {
			out = append(out, r.Ref.String()+" "+p.Reason)
		}
	}
	return strings.Join(out, ", ")
}

func loadText(t *testing.T, text string) *Contents {
	t.Helper()
	c, err := Load([]string{"-"}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoad_setsInvalidObjectsAside(t *testing.T) {
	c := loadText(t, service("a")+"spec: {novelty: 1}\n---\n"+service("b")+"spec: {ports: [{port: http}]}\n---\n"+
		service("c")+"---\n"+service("c")+"---\napiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: old}\n"+
		"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n")
	want := "Service default/a " + translate.ReasonUnknownField + ", Service default/b " + translate.ReasonInvalidObject +
		", Ingress default/old " + translate.ReasonUnsupportedVersion + ", Service default/c " + translate.ReasonDuplicateObject
	if names(c.Snapshot) != "a c" || reasons(c) != want {
		t.Errorf("got Services %q and problems %q, want %q", names(c.Snapshot), reasons(c), want)
	}
	if len(c.Skipped) != 1 || c.Skipped[0].String() != "standard input:24: kind apps/v1 Deployment is not supported" {
		t.Errorf("skipped %v", c.Skipped)
	}
}

func TestLoad_namesOfManifests(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.YAML"), service("a"))
	put(t, filepath.Join(dir, "b.json"), `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"}}`)
	put(t, filepath.Join(dir, "package.json"), `{"name": "app"}`)
	single := filepath.Join(dir, "b.json")
	c, err := Load([]string{dir, single}, nil)
	if err != nil || names(c.Snapshot) != "a b" || reasons(c) != "" || len(c.Skipped) != 1 {
		t.Fatalf("got %+v, %v", c, err)
	}
}

// bulk returns an item that Limpet does not read, of about 1 MiB, in the layout of kubectl.
func bulk(indent string, i int) string {
	return fmt.Sprintf("%[1]s- apiVersion: v1\n%[1]s  data:\n%[1]s    text: |\n%[1]s      kind: Service\n%[1]s      %[2]s\n"+
		"%[1]s  kind: Deployment\n%[1]s  metadata:\n%[1]s    name: bulk-%[3]d\n", indent, strings.Repeat("x", 1<<20), i)
}

func TestLoad_streamsLargeLists(t *testing.T) {
	limit(t, &maxRetained, 6<<20)
	for _, indent := range []string{"", "  "} {
		var b strings.Builder
		b.WriteString("apiVersion: v1\nitems:\n")
		for i := range 15 {
			b.WriteString(bulk(indent, i))
		}
		b.WriteString(indent + "- apiVersion: v1\n" + indent + "  kind: Service\n" + indent + "  metadata:\n" + indent + "    name: a\n")
		b.WriteString(indent + "  spec:\n" + indent + "    novelty: 1\n")
		b.WriteString("kind: List\nmetadata:\n  resourceVersion: \"\"\n")
		c := loadText(t, b.String())
		line := strings.Count(b.String()[:strings.Index(b.String(), "novelty")], "\n") + 1
		if names(c.Snapshot) != "a" || len(c.Skipped) != maxSkipped+1 {
			t.Fatalf("got Services %q, skipped %v", names(c.Snapshot), c.Skipped)
		}
		message := c.Snapshot.Reports[0].Problems[0].Message
		if want := fmt.Sprintf("standard input:%d: ", line); !strings.HasPrefix(message, want) {
			t.Errorf("problem %q, want prefix %q", message, want)
		}
	}
}

func TestLoad_streamsLargeJSON(t *testing.T) {
	limit(t, &maxRetained, 6<<20)
	type object map[string]any
	var items []object
	for i := range 15 {
		items = append(items, object{"apiVersion": "v1", "kind": "Deployment", "metadata": object{"name": fmt.Sprint(i)},
			"data": object{"x": strings.Repeat("x", 1<<20)}})
	}
	items = append(items, object{"apiVersion": "v1", "kind": "Service", "metadata": object{"name": "a"}})
	text, err := json.MarshalIndent(object{"apiVersion": "v1", "kind": "List", "items": items}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	c := loadText(t, string(text))
	if names(c.Snapshot) != "a" || len(c.Skipped) != maxSkipped+1 || !strings.HasPrefix(c.Skipped[0].String(), "standard input:4: ") {
		t.Fatalf("got Services %q, skipped %v", names(c.Snapshot), c.Skipped)
	}
}

func TestLoad_largeObjects(t *testing.T) {
	large := "x: " + strings.Repeat("x", maxDocument) + "\n"
	c := loadText(t, "apiVersion: v1\nkind: Deployment\nmetadata: {name: large}\n"+large+"---\n"+service("a"))
	if names(c.Snapshot) != "a" || len(c.Skipped) != 1 {
		t.Errorf("got Services %q, skipped %v", names(c.Snapshot), c.Skipped)
	}
	_, err := Load([]string{"-"}, strings.NewReader(service("a")+"---\n"+service("b")+large))
	if err == nil || err.Error() != "standard input:5: the object exceeds 4 MiB" {
		t.Errorf("a large Service: error %v", err)
	}
}

func TestLoad_itemsWithoutKind(t *testing.T) {
	c := loadText(t, "apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: a}\n")
	if names(c.Snapshot) != "a" || reasons(c) != "" {
		t.Errorf("got Services %q, problems %q", names(c.Snapshot), reasons(c))
	}
}

// One broken file must not hold back the changes of others, and keeps its own objects.
func TestReload_brokenFileKeepsObjects(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	put(t, a, service("a"))
	put(t, b, service("b"))
	s := NewSource(dir)
	reload := func(want, problems string) {
		t.Helper()
		c, err := s.Reload()
		if c == nil || names(c.Snapshot) != want || reasons(c) != problems || (err == nil) != (problems == "") {
			t.Fatalf("got %+v, %v, want Services %s and problems %q", c, err, want, problems)
		}
	}
	reload("a b", "")
	put(t, a, "a: b: c\n")
	put(t, b, service("b2"))
	broken := "File " + a + " " + translate.ReasonInvalidFile
	reload("b2 a", broken)
	put(t, b, service("b3"))
	reload("b3 a", broken)
	put(t, b, service("a")+"---\n"+service("b4")) // the object of the broken file has moved
	reload("a b4", broken)
	put(t, filepath.Join(dir, "c.yaml"), "c: [\n")
	reload("a b4", broken+", File "+filepath.Join(dir, "c.yaml")+" "+translate.ReasonInvalidFile)
	put(t, filepath.Join(dir, "c.yaml"), service("c"))
	put(t, a, service("a2"))
	reload("a2 a b4 c", "")
}
