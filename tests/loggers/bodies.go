package main

import "encoding/json"

func main() {
	body, _ := json.MarshalIndent(map[string]any{"error": map[string]int{"code": 400}}, "", "  ")
	panic("bad: " + string(body))
}
