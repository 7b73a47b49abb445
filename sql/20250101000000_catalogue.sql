-- Videos and likes: what the recommender learns from.
--
-- A service that already has tables of these names keeps them untouched, policies included; it points the two views
-- of the next migration at them instead.

do $$
begin
  if to_regclass('public.videos') is not null then
    return;
  end if;

  create table public.videos (
    id uuid primary key default gen_random_uuid(),
    title text not null,
    description text,
    genres text[] not null default '{}',
    maker text,
    performers text[] not null default '{}',
    tags text[] not null default '{}',
    -- Postgres sorts NaN above Infinity, so this leaves out both.
    price numeric check (price >= 0 and price < 'Infinity'),
    duration_seconds integer check (duration_seconds >= 0),
    thumbnail_url text,
    published_at timestamptz,
    created_at timestamptz not null default now()
  );

  alter table public.videos enable row level security;
  create policy "Everyone may read videos" on public.videos for select to anon, authenticated using (true);
  revoke all on public.videos from anon, authenticated;
  grant select on public.videos to anon, authenticated;
  grant all on public.videos to service_role;
end
$$;

-- Deletes the rows of a deleted account from the table that the trigger names.
create or replace function public.forget_deleted_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  execute format('delete from public.%I where user_id = $1', tg_argv[0]) using old.id;
  return null;
end
$$;
revoke all on function public.forget_deleted_user() from public, anon, authenticated;

do $$
begin
  if to_regclass('public.likes') is not null then
    return;
  end if;

  -- No foreign key to auth.users: imported likes, whose users have no account here, are worth learning from, and a bare
  -- Postgres has no such table. Where there is one, the trigger below does what the foreign key's cascade would do.
  create table public.likes (
    user_id uuid not null default auth.uid(),
    video_id uuid not null references public.videos (id) on delete cascade,
    created_at timestamptz not null default now(),
    primary key (user_id, video_id)
  );
  -- A user's latest likes, for the user tower, without reading the table.
  create index likes_user_id_created_at_idx on public.likes (user_id, created_at desc, video_id);
  -- A video's likes, and the cascade from a deleted video.
  create index likes_video_id_idx on public.likes (video_id);

  alter table public.likes enable row level security;
  create policy "Users may read their own likes" on public.likes
    for select to authenticated using (user_id = (select auth.uid()));
  create policy "Users may like as themselves" on public.likes
    for insert to authenticated with check (user_id = (select auth.uid()));
  create policy "Users may take back their own likes" on public.likes
    for delete to authenticated using (user_id = (select auth.uid()));
  revoke all on public.likes from anon, authenticated;
  -- The time of a like is when it was given, so users do not get to write it.
  grant select, insert (user_id, video_id), delete on public.likes to authenticated;
  grant all on public.likes to service_role;

  if to_regclass('auth.users') is not null then
    drop trigger if exists forget_likes on auth.users;
    create trigger forget_likes after delete on auth.users
      for each row execute function public.forget_deleted_user('likes');
  end if;
end
$$;
