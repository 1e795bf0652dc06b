/** The frame around the pages: the way between them, and whether the server is still there. */
import { useEffect } from 'preact/hooks'
import { ActivityPage } from './activity.tsx'
import { ChatPage } from './chat.tsx'
import { useLive } from './data.ts'
import { link, useRoute } from './route.ts'
import { RunPage } from './run.tsx'
import { RunsPage } from './runs.tsx'
import { Empty } from './state.tsx'

const pages = [
  { path: 'runs', title: 'Runs' },
  { path: 'activity', title: 'Activity' },
  { path: 'chat', title: 'Chat' },
]

export function App() {
  const route = useRoute()
  const [page = 'runs', id] = route.path
  const isLive = useLive()
  const title = pages.find(({ path }) => path === page)?.title ?? 'Not here'
  useEffect(() => {
    document.title = `${title} · Clew studio`
  }, [title])
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        To the content
      </button>
      <header class="bar">
        <a class="brand" href={link(['runs'])}>
          <img src="icon.svg" alt="" width="20" height="20" />
          clew <span>studio</span>
        </a>
        <nav aria-label="Pages">
          {pages.map(({ path, title }) => (
            <a key={path} href={link([path])} aria-current={path === page ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <span class={isLive ? 'link good' : 'link'} role="status">
          {isLive ? 'Live' : 'Not connected'}
        </span>
      </header>
      <main id="main" tabIndex={-1}>
        {page === 'runs' && id === undefined && <RunsPage query={route.query} />}
        {page === 'runs' && id !== undefined && <RunPage key={id} id={id} query={route.query} />}
        {page === 'chat' && <ChatPage />}
        {page === 'activity' && <ActivityPage query={route.query} />}
        {title === 'Not here' && (
          <Empty title="There is no such page">
            <p>
              Go to the <a href={link(['runs'])}>runs</a>.
            </p>
          </Empty>
        )}
      </main>
    </>
  )
}
