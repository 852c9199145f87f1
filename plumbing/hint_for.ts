/** What to do about a discovery that doesn't answer, unless what it answered says that. lib/wait_for_discovery.ts says it. */
import { TSX } from "./printable.ts";

export function hintFor({ code, url }: { code: string; url: string | undefined }): string {
  if (code === "bad_answer")
    return "; is that discovery? Another program may have its port; pass --discovery";
  if (code !== "unreachable") return "";
  const port = url ? new URL(url).port : "";
  return `; start it with: ${TSX} discovery.ts${["", "5000"].includes(port) ? "" : ` --port ${port}`}`;
}
