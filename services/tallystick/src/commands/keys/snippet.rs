//! How a tool is pointed at the proxy: the base URL and the key, nothing else.

/// A snippet for a tool; tools that are not known get curl's.
pub(crate) fn snippet(tool: &str, openai: &str, anthropic: &str, secret: &str) -> String {
    let tool = tool.to_ascii_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| tool.contains(name));
    if is(&["cursor"]) {
        format!(
            "Cursor: Settings > Models > API Keys\n  Override OpenAI Base URL  {openai}\n  OpenAI API Key            {secret}\n"
        )
    } else if is(&["claude"]) {
        format!("export ANTHROPIC_BASE_URL={anthropic}\nexport ANTHROPIC_API_KEY={secret}\nclaude\n")
    } else if is(&["open-webui", "webui"]) {
        format!(
            "Open WebUI: Admin Panel > Settings > Connections > OpenAI API\n  URL  {openai}\n  Key  {secret}\n"
        )
    } else if is(&["python"]) {
        python(openai, secret)
    } else if is(&["node", "javascript", "typescript"]) {
        format!(
            "import OpenAI from \"openai\";\n\nconst client = new OpenAI({{\n  baseURL: \"{openai}\",\n  apiKey: \"{secret}\",\n}});\n"
        )
    } else {
        curl(openai, secret)
    }
}

/// The official Python SDK.
pub(crate) fn python(openai: &str, secret: &str) -> String {
    format!(
        "from openai import OpenAI\n\nclient = OpenAI(\n    base_url=\"{openai}\",\n    api_key=\"{secret}\",\n)\n\
         answer = client.chat.completions.create(\n    model=\"gpt-4o-mini\",\n    \
         messages=[{{\"role\": \"user\", \"content\": \"Say hello\"}}],\n)\nprint(answer.choices[0].message.content)\n"
    )
}

/// One call with curl.
pub(crate) fn curl(openai: &str, secret: &str) -> String {
    format!(
        "curl {openai}/chat/completions \\\n  -H \"Authorization: Bearer {secret}\" \\\n  -H \"Content-Type: application/json\" \\\n  \
         -d '{{\"model\": \"gpt-4o-mini\", \"messages\": [{{\"role\": \"user\", \"content\": \"Say hello\"}}]}}'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_snippet_names_the_base_url_and_the_key() {
        for tool in
            ["cursor-dev", "claude-code", "open-webui-team", "python", "node", "curl", "backend-staging"]
        {
            let text = snippet(tool, "http://h/v1", "http://h/a", "ts_live_x");
            assert!(text.contains("ts_live_x"), "{tool}: {text}");
            assert!(text.contains("http://h/v1") || text.contains("http://h/a"), "{tool}: {text}");
        }
    }
}
