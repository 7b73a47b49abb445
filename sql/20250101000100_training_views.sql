-- All that the training pipeline reads. A service with tables of its own defines these two views over them before it
-- migrates, and they are left as they are.

do $$
begin
  if to_regclass('public.training_videos') is null then
    create view public.training_videos with (security_invoker = true) as
      select
        id, title, description, genres, maker, performers, tags, price, duration_seconds, thumbnail_url,
        published_at, created_at
      from public.videos;
    revoke all on public.training_videos from anon, authenticated;
    grant select on public.training_videos to service_role;
  end if;

  if to_regclass('public.training_likes') is null then
    create view public.training_likes with (security_invoker = true) as
      select user_id, video_id, created_at from public.likes;
    revoke all on public.training_likes from anon, authenticated;
    grant select on public.training_likes to service_role;
  end if;
end
$$;
